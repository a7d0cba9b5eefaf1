namespace Orleans.Joblib;

public sealed unsafe partial class MemmappedArray<T>
{
    /// <summary>Maps the array of a <c>.npy</c> file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">What may be done with its elements. <see cref="MmapMode.Create"/> means <see cref="MmapMode.ReadWrite"/> here. Default: read only.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened so.</exception>
    /// <exception cref="JoblibException">It is no <c>.npy</c> file, is shorter than it claims, or its elements are not <typeparamref name="T"/> in this processor's byte order.</exception>
    /// <remarks>numpy: <c>load(path, mmap_mode)</c>.</remarks>
    public static MemmappedArray<T> Open(string path, MmapMode mode = MmapMode.ReadOnly)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        mode = CheckMode(mode) == MmapMode.Create ? MmapMode.ReadWrite : mode;
        using var file = MappedFile.Open(path, mode);
        using var stream = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(file.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, bufferSize: 4096);
        return Map(file, System.IO.Path.GetFullPath(path), NpyHeader.Read(stream), 0, mode);
    }

    /// <summary>Makes a <c>.npy</c> file of zeros, over one that is there, and maps it to be written.</summary>
    /// <param name="path">The file.</param>
    /// <param name="lengths">The shape.</param>
    /// <param name="order">The order of the elements. Default: C.</param>
    /// <exception cref="ArgumentOutOfRangeException">The shape has a negative length, or its bytes cannot be counted.</exception>
    /// <exception cref="IOException">The file cannot be made, or there is no room for it: all of its space is taken at once.</exception>
    /// <remarks>numpy: <c>lib.format.open_memmap(path, "w+")</c>.</remarks>
    public static MemmappedArray<T> Create(string path, ReadOnlySpan<nint> lengths, ArrayOrder order = ArrayOrder.C)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var layout = ArrayLayout.Of(lengths, order, sizeof(T));
        var type = NpyElement.Of(CheckElement());
        var header = NpyHeader.Write(type, order, lengths);
        using var file = MappedFile.Open(path, MmapMode.Create);
        FileSpace.Take(file, path, header.Length + ((long)layout.Count * sizeof(T)));
        RandomAccess.Write(file, header, 0);
        return Map(file, System.IO.Path.GetFullPath(path), new NpyHeader(type, order, lengths.ToArray(), header.Length), 0, MmapMode.Create);
    }

    /// <summary>Maps numbers that lie in a file without a head.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">What may be done with the elements; <see cref="MmapMode.Create"/> makes the file, of zeros, over one that is there.</param>
    /// <param name="offset">Bytes before the first element. Default: 0.</param>
    /// <param name="lengths">The shape; one dimension with all that the file holds behind <paramref name="offset"/> when empty.</param>
    /// <param name="order">The order of the elements. Default: C.</param>
    /// <exception cref="ArgumentException">The offset is negative, the shape is missing for a new file, or has a negative length or too many bytes.</exception>
    /// <exception cref="IOException">The file cannot be opened or made, or has too little room.</exception>
    /// <exception cref="JoblibException">The file is shorter than the shape.</exception>
    /// <remarks>numpy: <c>memmap(filename, dtype, mode, offset, shape, order)</c>.</remarks>
    public static MemmappedArray<T> OpenRaw(string path, MmapMode mode = MmapMode.ReadOnly, long offset = 0, ReadOnlySpan<nint> lengths = default, ArrayOrder order = ArrayOrder.C)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        CheckMode(mode);
        CheckElement();
        if (mode == MmapMode.Create && lengths.IsEmpty)
        {
            throw new ArgumentException("A new file needs a shape. Give 'lengths'.", nameof(lengths));
        }

        var wanted = ArrayLayout.Of(lengths, order, sizeof(T));
        if (offset > long.MaxValue - ((long)wanted.Count * sizeof(T)))
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"offset must not be '{offset}': no file is that long.");
        }

        using var file = MappedFile.Open(path, mode);
        if (mode == MmapMode.Create)
        {
            FileSpace.Take(file, path, offset + ((long)wanted.Count * sizeof(T)));
        }

        var rest = RandomAccess.GetLength(file) - offset;
        if (lengths.IsEmpty && (rest < 0 || rest % sizeof(T) != 0))
        {
            throw new JoblibException("bad-array-file", $"The file '{path}' has '{rest}' bytes behind offset '{offset}', which are not whole elements of {sizeof(T)} bytes.");
        }

        nint[] shape = lengths.IsEmpty ? [(nint)(rest / sizeof(T))] : lengths.ToArray();
        var type = NpyElement.Of(typeof(T));
        return Map(file, System.IO.Path.GetFullPath(path), new NpyHeader(type, order, shape, 0), offset, mode);
    }

    /// <summary>Maps what a head describes; <paramref name="offset"/> is where the head begins.</summary>
    internal static MemmappedArray<T> Map(Microsoft.Win32.SafeHandles.SafeFileHandle file, string path, NpyHeader header, long offset, MmapMode mode, object? owner = null)
    {
        NpyFile.CheckElement(header, typeof(T));
        if (header.Type.IsSwapped)
        {
            throw new JoblibException(
                "array-byte-order", $"The elements of '{path}' (dtype {header.Type.Text}) have another byte order than this processor: they cannot be mapped. Load them without mmapMode, which converts them.");
        }

        var start = offset + header.DataOffset;
        var length = RandomAccess.GetLength(file);
        if (header.DataBytes > length - start)
        {
            throw NpyHeader.Bad($"its header claims {header.DataBytes} bytes of elements, and '{path}' has {Math.Max(length - start, 0)}");
        }

        var mapping = MappedFile.Map(file, path, header.DataBytes == 0 ? 0 : start + header.DataBytes, mode, owner);
        return new MemmappedArray<T>(mapping, mapping.Start is null ? null : (T*)(mapping.Start + start), header.Layout);
    }

    /// <summary>An array in memory alone.</summary>
    internal static MemmappedArray<T> InMemory(NpyHeader header, Stream stream)
    {
        NpyFile.CheckElement(header, typeof(T));
        var mapping = MappedFile.Anonymous(header.DataBytes);
        NpyFile.ReadElements(stream, header, mapping.Start, typeof(T));
        return new MemmappedArray<T>(mapping, (T*)mapping.Start, ArrayLayout.Of(header.Lengths, ArrayOrder.C, sizeof(T)));
    }

    internal static MemmappedArray<T> InMemory(ReadOnlySpan<byte> elements, ArrayLayout layout)
    {
        var mapping = MappedFile.Anonymous(elements.Length);
        elements.CopyTo(new Span<byte>(mapping.Start, elements.Length));
        return new MemmappedArray<T>(mapping, (T*)mapping.Start, layout);
    }

    private static Type CheckElement() => NpyElement.IsElement(typeof(T))
        ? typeof(T)
        : throw new ArgumentException($"'{typeof(T).Name}' holds addresses of this process, which mean nothing in a file. Use long for numbers.");

    private static MmapMode CheckMode(MmapMode mode) =>
        Enum.IsDefined(mode) ? mode : throw new ArgumentOutOfRangeException(nameof(mode), mode, $"mode must not be '{mode}'. Use one of MmapMode's values.");
}
