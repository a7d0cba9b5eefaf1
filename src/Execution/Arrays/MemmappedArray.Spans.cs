using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

public sealed unsafe partial class MemmappedArray<T>
{
    /// <summary>All elements as they lie in memory, in <see cref="Order"/>. Good as long as this array or a view of it is reachable.</summary>
    /// <exception cref="InvalidOperationException">The array has gaps, or more than 2,147,483,647 elements.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public ReadOnlySpan<T> AsReadOnlySpan() => new(Range(0, _layout.Count, "AsReadOnlySpan(start, length)"), (int)_layout.Count);

    /// <summary>A part of the elements as they lie in memory, for arrays that no single span can hold.</summary>
    /// <param name="start">Elements left out at the beginning.</param>
    /// <param name="length">Elements in the span.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the array.</exception>
    /// <exception cref="InvalidOperationException">The array has gaps.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public ReadOnlySpan<T> AsReadOnlySpan(nint start, int length) => new(Range(start, length, ""), length);

    /// <summary>As <see cref="AsReadOnlySpan()"/>, to write to.</summary>
    /// <exception cref="NotSupportedException">The array is read-only.</exception>
    /// <exception cref="InvalidOperationException">The array has gaps, or more than 2,147,483,647 elements.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public Span<T> AsSpan()
    {
        Writable();
        return new Span<T>(Range(0, _layout.Count, "AsSpan(start, length)"), (int)_layout.Count);
    }

    /// <summary>As <see cref="AsReadOnlySpan(nint, int)"/>, to write to.</summary>
    /// <exception cref="NotSupportedException">The array is read-only.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the array.</exception>
    /// <exception cref="InvalidOperationException">The array has gaps.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public Span<T> AsSpan(nint start, int length)
    {
        Writable();
        return new Span<T>(Range(start, length, ""), length);
    }

    /// <summary>All elements as they lie in memory. It keeps the file mapped.</summary>
    /// <exception cref="InvalidOperationException">The array has gaps, or more than 2,147,483,647 elements.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public ReadOnlyMemory<T> AsReadOnlyMemory() =>
        new MappedMemory<T>(Live(), Range(0, _layout.Count, "AsReadOnlyMemory(start, length)"), (int)_layout.Count).Memory;

    /// <summary>A part of the elements as they lie in memory. It keeps the file mapped.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the array.</exception>
    /// <exception cref="InvalidOperationException">The array has gaps.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public ReadOnlyMemory<T> AsReadOnlyMemory(nint start, int length) => new MappedMemory<T>(Live(), Range(start, length, ""), length).Memory;

    /// <summary>As <see cref="AsReadOnlyMemory()"/>, to write to.</summary>
    /// <exception cref="NotSupportedException">The array is read-only.</exception>
    /// <exception cref="InvalidOperationException">The array has gaps, or more than 2,147,483,647 elements.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public Memory<T> AsMemory() => new MappedMemory<T>(Writable(), Range(0, _layout.Count, "AsMemory(start, length)"), (int)_layout.Count).Memory;

    /// <summary>As <see cref="AsReadOnlyMemory(nint, int)"/>, to write to.</summary>
    /// <exception cref="NotSupportedException">The array is read-only.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The part is not within the array.</exception>
    /// <exception cref="InvalidOperationException">The array has gaps.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public Memory<T> AsMemory(nint start, int length) => new MappedMemory<T>(Writable(), Range(start, length, ""), length).Memory;

    /// <summary>All elements with their shape and strides, of any number of elements; an array without dimensions as one of one element. Good as long as this array or a view of it is reachable.</summary>
    /// <exception cref="InvalidOperationException">A stride is negative, or rows of one dimension lie between those of another, which a tensor span cannot say.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public ReadOnlyTensorSpan<T> AsReadOnlyTensorSpan()
    {
        CheckTensor();
        try
        {
            return _layout.Count == 0 ? new ReadOnlyTensorSpan<T>(Array.Empty<T>(), _layout.Lengths) : new ReadOnlyTensorSpan<T>(_origin, DataLength, TensorLengths, TensorStrides());
        }
        catch (ArgumentException exception)
        {
            throw Interleaved(exception);
        }
    }

    /// <summary>As <see cref="AsReadOnlyTensorSpan"/>, to write to.</summary>
    /// <exception cref="NotSupportedException">The array is read-only.</exception>
    /// <exception cref="InvalidOperationException">A stride is negative, or rows of one dimension lie between those of another, which a tensor span cannot say.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public TensorSpan<T> AsTensorSpan()
    {
        Writable();
        CheckTensor();
        try
        {
            return _layout.Count == 0 ? new TensorSpan<T>(Array.Empty<T>(), _layout.Lengths) : new TensorSpan<T>(_origin, DataLength, TensorLengths, TensorStrides());
        }
        catch (ArgumentException exception)
        {
            throw Interleaved(exception);
        }
    }

    /// <summary>A copy of the elements, the last index fastest.</summary>
    /// <exception cref="InvalidOperationException">More elements than an array holds.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public T[] ToArray()
    {
        if (_layout.Count > Array.MaxLength)
        {
            throw TooMany("Slice");
        }

        var copy = GC.AllocateUninitializedArray<T>((int)_layout.Count);
        CopyTo(copy);
        return copy;
    }

    /// <summary>Copies the elements, the last index fastest.</summary>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    public void CopyTo(Span<T> destination)
    {
        var file = Live();
        if (_layout.Count > destination.Length)
        {
            throw new ArgumentException($"'{_layout.Count}' elements do not fit into '{destination.Length}'.", nameof(destination));
        }

        var elements = new ArrayElements((byte*)_origin, _layout, sizeof(T));
        fixed (T* to = destination)
        {
            elements.CopyTo((byte*)to, 0, (long)_layout.Count * sizeof(T));
        }

        GC.KeepAlive(file);
    }

    private nint DataLength => _layout.Count == 0 ? 0 : _layout.Reach() + 1;

    // A tensor without dimensions has no elements in .NET.
    private ReadOnlySpan<nint> TensorLengths => _layout.Rank == 0 ? (nint[])[1] : _layout.Lengths;

    // A tensor span checks strides that are never used: those of dimensions without a second element.
    private nint[] TensorStrides()
    {
        var strides = _layout.Rank == 0 ? [0] : _layout.Strides.ToArray();
        for (var i = 0; i < _layout.Rank; i++)
        {
            strides[i] = _layout.Lengths[i] == 1 ? 0 : strides[i];
        }

        return strides;
    }

    // numpy has such views: every second row of one dimension in a step that is no multiple of another's.
    private InvalidOperationException Interleaved(ArgumentException exception) => new(
        $"A view of lengths {ArrayLayout.Text(_layout.Lengths)} and strides {ArrayLayout.Text(_layout.Strides)} is no tensor span: its dimensions interleave. Read it element by element, or copy it: ToArray().",
        exception);

    private void CheckTensor()
    {
        Live();
        for (var i = 0; i < _layout.Rank; i++)
        {
            if (_layout.Strides[i] < 0 && _layout.Lengths[i] > 1)
            {
                throw new InvalidOperationException("A view that goes backwards is no tensor span. Read it element by element, or copy it: ToArray().");
            }
        }
    }

    private T* Range(nint start, nint length, string remedy)
    {
        Live();
        if (!IsContiguous)
        {
            throw new InvalidOperationException("A view with gaps is no span. Use AsReadOnlyTensorSpan(), or copy it: ToArray().");
        }

        if (length > int.MaxValue)
        {
            throw TooMany(remedy);
        }

        return start >= 0 && length >= 0 && start <= _layout.Count - length
            ? _origin + start
            : throw new ArgumentOutOfRangeException(nameof(start), $"'{length}' elements from '{start}' on are not within the array, which has {_layout.Count}.");
    }

    private InvalidOperationException TooMany(string remedy) => new($"'{_layout.Count}' elements are more than a span or an array of .NET holds. Take parts of them: {remedy}.");
}
