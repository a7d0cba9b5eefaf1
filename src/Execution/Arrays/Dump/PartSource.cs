namespace Orleans.Joblib;

/// <summary>The large arrays of a dumped value, read as they are asked for, which is in their order. One thread.</summary>
/// <param name="stream">Stands behind the payload.</param>
/// <param name="mostBytes">What the file can hold at most.</param>
/// <param name="path">The file, where memory-mapped arrays are mapped from it; null where they are read.</param>
/// <param name="mode">How they are mapped.</param>
internal sealed class PartSource(CountedStream stream, long mostBytes, string? path, MmapMode mode) : IArraySource
{
    private readonly List<object> _parts = [];

    public MemmappedArray<T> Map<T>(ArrayReference reference)
        where T : unmanaged
    {
        if (!IsNext(reference))
        {
            return _parts[(int)reference.Offset] switch
            {
                MemmappedArray<T> mapped => mapped,
                T[] array => MemmappedArray<T>.InMemory(System.Runtime.InteropServices.MemoryMarshal.AsBytes(array.AsSpan()), ArrayLayout.Of([array.Length], ArrayOrder.C, NpyElement.Of(typeof(T)).Bytes)),
                _ => throw DumpFile.Bad("it refers to one array as two"),
            };
        }

        stream.Align(NpyHeader.Alignment);
        var offset = stream.Position;
        var header = Header();
        if (path is null)
        {
            var read = MemmappedArray<T>.InMemory(header, stream);
            _parts.Add(read);
            return read;
        }

        using var file = MappedFile.Open(path, mode);
        var mapping = MemmappedArray<T>.Map(file, path, header, offset, mode);
        stream.Skip(header.DataBytes);
        _parts.Add(mapping);
        return mapping;
    }

    public Array Load(ArrayReference reference, Type type)
    {
        if (!IsNext(reference))
        {
            var known = _parts[(int)reference.Offset];
            return known.GetType() == type
                ? (Array)known
                : known is IMemmapped mapped && type.IsSZArray && mapped.ElementType == type.GetElementType() ? mapped.Copy() : throw DumpFile.Bad("it refers to one array as two");
        }

        stream.Align(NpyHeader.Alignment);
        var array = NpyFile.Read(stream, Header(), type, mostBytes);
        _parts.Add(array);
        return array;
    }

    private NpyHeader Header()
    {
        var header = NpyHeader.Read(stream);
        NpyFile.CheckLength(header, mostBytes - stream.Position);
        return header;
    }

    private bool IsNext(ArrayReference reference) => reference.Place == ArrayPlace.Part && reference.Offset <= _parts.Count
        ? reference.Offset == _parts.Count
        : throw DumpFile.Bad("it refers to its arrays out of order");
}
