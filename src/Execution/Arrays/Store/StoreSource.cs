using System.Collections.Concurrent;

namespace Orleans.Joblib;

/// <summary>A run's way to the segments of this host, in a process that executes its calls: what it has opened stays mapped until it is disposed. Thread-safe.</summary>
internal sealed class StoreSource(ArraySettings? settings = null) : IArraySource, IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<MappedFile>> _mappings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Path, Type Type), Lazy<Array>> _arrays = new();

    public MemmappedArray<T> Map<T>(ArrayReference reference)
        where T : unmanaged => reference.Place != ArrayPlace.Segment
            ? ArrayFiles.Instance.Map<T>(reference)
            : ArrayFiles.View<T>(
                reference.Mode == MmapMode.ReadOnly ? Mapping(reference.Path) : ArrayFiles.MapSegment(reference.Path, MmapMode.CopyOnWrite, settings),
                reference);

    public Array Load(ArrayReference reference, Type type)
    {
        if (reference.Place != ArrayPlace.Segment)
        {
            throw PayloadReader.Malformed("it refers to an array that is elsewhere");
        }

        return _arrays.GetOrAdd((reference.Path, type), key => new Lazy<Array>(() => SharedArrays.Load(Mapping(key.Path), reference, key.Type))).Value;
    }

    public void Dispose()
    {
        var paths = _mappings.Where(mapping => mapping.Value.IsValueCreated).Select(mapping => mapping.Key).ToList();
        foreach (var array in _arrays.Values.Where(array => array.IsValueCreated))
        {
            MappedVector.Release(array.Value);
        }

        _arrays.Clear();
        _mappings.Clear();
        foreach (var path in paths)
        {
            ArrayStore.DeleteIfUnused(path);
        }
    }

    internal bool HasMapped => !_mappings.IsEmpty;

    internal void Abandon()
    {
        foreach (var mapping in _mappings.Values.Where(mapping => mapping.IsValueCreated))
        {
            ((SegmentLock)mapping.Value.Owner!).Release();
        }
    }

    private MappedFile Mapping(string path) =>
        _mappings.GetOrAdd(path, path => new Lazy<MappedFile>(() => ArrayFiles.MapSegment(path, MmapMode.ReadOnly, settings))).Value;
}
