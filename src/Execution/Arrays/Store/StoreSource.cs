using System.Collections.Concurrent;

namespace Orleans.Joblib;

/// <summary>A run's way to the segments of this host, in a process that executes its calls. Thread-safe.</summary>
/// <remarks>
/// What calls refer to is shared by them as long as any of them has it. Beyond that the newest is kept for the calls to come, up to a bound: a run over any number of arrays
/// takes no more memory than one over a few.
/// </remarks>
internal sealed class StoreSource(ArraySettings? settings = null) : IArraySource, IDisposable
{
    private const long MostKeptBytes = 256 << 20;
    private const int MostKept = 256;

    private readonly ConcurrentDictionary<string, Shared<MappedFile>> _mappings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Path, Type Type), Shared<Array>> _arrays = new();
    private readonly Queue<(object Value, long Bytes)> _kept = new();
    private long _keptBytes;

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

        return _arrays.GetOrAdd((reference.Path, type), static _ => new Shared<Array>()).Get(() =>
        {
            var array = SharedArrays.IsMapped(reference, type)
                ? SharedArrays.Load(Mapping(reference.Path), reference, type)
                : SharedArrays.Read(ArrayFiles.OpenSegment(reference.Path, settings), reference, type);

            // One in a region of its own is asked for by name when its room is wanted.
            var bytes = ArrayView.ByteLengthOf(array);
            Keep(array, MappedVector.IsMapped(array) && bytes >= MappedVector.LeastOfRegion ? 0 : bytes);
            return array;
        });
    }

    /// <summary>Whether calls have mapped arrays.</summary>
    internal bool HasMapped => !_mappings.IsEmpty;

    /// <summary>Keeps nothing for calls to come: its room is wanted.</summary>
    internal void Forget()
    {
        lock (_kept)
        {
            _kept.Clear();
            _keptBytes = 0;
        }
    }

    public void Dispose()
    {
        Forget();
        foreach (var shared in _arrays.Values)
        {
            if (shared.Known is { } array)
            {
                MappedVector.Release(array);
            }
        }

        _arrays.Clear();
        var paths = _mappings.Keys.ToList();
        _mappings.Clear();
        foreach (var path in paths)
        {
            ArrayStore.DeleteIfUnused(path);
        }
    }

    private MappedFile Mapping(string path) => _mappings.GetOrAdd(path, static _ => new Shared<MappedFile>()).Get(() =>
    {
        var mapping = ArrayFiles.MapSegment(path, MmapMode.ReadOnly, settings);
        Keep(mapping, 0);
        return mapping;
    });

    private void Keep(object value, long bytes)
    {
        lock (_kept)
        {
            _kept.Enqueue((value, bytes));
            _keptBytes += bytes;
            while (_kept.Count > 1 && (_keptBytes > MostKeptBytes || _kept.Count > MostKept))
            {
                _keptBytes -= _kept.Dequeue().Bytes;
            }
        }
    }

    /// <summary>Made by the first who wants it; the others wait for that one alone.</summary>
    private sealed class Shared<T>
        where T : class
    {
        private readonly Lock _gate = new();
        private WeakReference<T>? _value;

        internal T? Known => _value is { } value && value.TryGetTarget(out var known) ? known : null;

        internal T Get(Func<T> make)
        {
            lock (_gate)
            {
                if (Known is { } known)
                {
                    return known;
                }

                var made = make();
                _value = new WeakReference<T>(made);
                return made;
            }
        }
    }
}
