using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>An array of numbers in a file that is mapped into memory: opened without being read, shared by whoever maps it, of any size and any number of dimensions.</summary>
/// <typeparam name="T">The elements: numbers, <see cref="bool"/>, enums, <see cref="System.Numerics.Complex"/> and structs of them.</typeparam>
/// <remarks>
/// <para>numpy: <c>memmap</c>. Slices, transposes and strided views are views: they copy nothing and keep the file mapped.</para>
/// <para>Elements, copies and views may be taken by any number of threads; what one thread writes while another reads it is seen whole or in parts, as with any array.
/// After <see cref="Dispose"/> every member that touches elements throws. A span is a bare pointer, as spans are: it is good as long as this array, a view or a memory
/// of it is reachable, disposed or not. The file is unmapped when the collector finds that none is.</para>
/// <para>Nobody may shorten a file that is mapped: the operating system ends processes that touch what is gone.</para>
/// </remarks>
public sealed unsafe partial class MemmappedArray<T> : IMemmapped, IDisposable
    where T : unmanaged
{
    private readonly T* _origin;
    private readonly ArrayLayout _layout;

    // For as long as this object is reachable, disposed or not: spans point into it.
    private readonly MappedFile _file;
    private volatile bool _isDisposed;

    internal MemmappedArray(MappedFile file, T* origin, ArrayLayout layout)
    {
        _file = file;
        _origin = origin;
        _layout = layout;
        Path = file.Path;
        Mode = file.Mode;
        Offset = origin is null ? 0 : (byte*)origin - file.Start;
    }

    /// <summary>The file; null for an array in memory only, as it comes out of a compressed file.</summary>
    public string? Path { get; }

    /// <summary>What may be done with the elements.</summary>
    public MmapMode Mode { get; }

    /// <summary>Whether elements cannot be written.</summary>
    public bool IsReadOnly => Mode == MmapMode.ReadOnly;

    /// <summary>Where the first element lies in the file, in bytes.</summary>
    public long Offset { get; }

    /// <summary>Dimensions: 0 (a single element) to 64.</summary>
    public int Rank => _layout.Rank;

    /// <summary>Elements in all dimensions together.</summary>
    public long Length => _layout.Count;

    /// <summary>Bytes of all elements.</summary>
    public long ByteLength => (long)_layout.Count * sizeof(T);

    /// <summary>Elements in each dimension. numpy: <c>shape</c>.</summary>
    public ReadOnlySpan<nint> Lengths => _layout.Lengths;

    /// <summary>How far elements whose index differs by one are apart, in each dimension, in elements. numpy: <c>strides</c>, which counts bytes.</summary>
    public ReadOnlySpan<nint> Strides => _layout.Strides;

    /// <summary>The order of the elements in memory; C where the array has gaps or both orders are the same.</summary>
    public ArrayOrder Order => _layout.Order;

    /// <summary>Whether the elements lie in memory without gaps.</summary>
    public bool IsContiguous => _layout.IsC || _layout.IsFortran;

    Type IMemmapped.ElementType => typeof(T);

    ArrayLayout IMemmapped.Layout => _layout;

    byte* IMemmapped.Origin => (byte*)_origin;

    MappedFile IMemmapped.Mapping => Live();

    Array IMemmapped.Copy() => ToArray();

    /// <summary>An element of an array of one dimension.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    /// <exception cref="NotSupportedException">Written, and the array is read-only.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public T this[nint index]
    {
        get
        {
            var file = Live();
            var value = Unsafe.ReadUnaligned<T>(At(index));
            GC.KeepAlive(file);
            return value;
        }

        set
        {
            var file = Writable();
            Unsafe.WriteUnaligned(At(index), value);
            GC.KeepAlive(file);
        }
    }

    /// <summary>An element: one index for each dimension.</summary>
    /// <exception cref="ArgumentException">Another number of indexes than of dimensions.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    /// <exception cref="NotSupportedException">Written, and the array is read-only.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public T this[params ReadOnlySpan<nint> indexes]
    {
        get
        {
            var file = Live();
            var value = Unsafe.ReadUnaligned<T>(_origin + _layout.OffsetOf(indexes));
            GC.KeepAlive(file);
            return value;
        }

        set
        {
            var file = Writable();
            Unsafe.WriteUnaligned(_origin + _layout.OffsetOf(indexes), value);
            GC.KeepAlive(file);
        }
    }

    /// <summary>Brings what was written to the disk. Other processes of this host see it without.</summary>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public void Flush() => Live().Flush();

    /// <summary>Closes this array; views of it, and spans and memory taken before, stay good.</summary>
    public void Dispose() => _isDisposed = true;

    /// <summary>Type, shape, mode and file.</summary>
    public override string ToString() => $"MemmappedArray<{typeof(T).Name}>{ArrayLayout.Text(_layout.Lengths)} {Mode} '{Path ?? "memory"}'";

    private MappedFile Live() => !_isDisposed ? _file : throw new ObjectDisposedException(null, $"The memory-mapped array of '{Path ?? "memory"}' has been disposed.");

    private MappedFile Writable()
    {
        var file = Live();
        return Mode == MmapMode.ReadOnly
            ? throw new NotSupportedException($"The memory-mapped array of '{Path}' is read-only. Open it with MmapMode.ReadWrite, or MmapMode.CopyOnWrite for changes that stay in memory.")
            : file;
    }

    private T* At(nint index)
    {
        if (_layout.Rank != 1)
        {
            throw new ArgumentException($"An array of {_layout.Rank} dimensions does not take '1' index.", nameof(index));
        }

        return (nuint)index < (nuint)_layout.Lengths[0] ? _origin + (index * _layout.Strides[0]) : throw _layout.OutOfRange(0, index);
    }

    private MemmappedArray<T> View(nint offset, ArrayLayout layout) => new(Live(), _origin is null ? null : _origin + offset, layout);
}
