using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A run's way into the array store of its host: arrays over its limit go there, each object once, and stay until it is disposed, or the array is garbage. Thread-safe.</summary>
/// <remarks>
/// An array that is changed between two runs is looked at again by the second. Within one run it is what it was when it was first seen, as in joblib.
/// </remarks>
internal sealed class StoreSink(ArrayStore store, long maxBytes, MmapMode mode = MmapMode.ReadOnly) : IArraySink, IDisposable
{
    private const int LeastPruned = 256;

    private readonly Lock _gate = new();
    private readonly ConditionalWeakTable<object, Lazy<HeldSegment>> _known = [];
    private List<WeakReference<HeldSegment>> _held = [];
    private int _pruneAt = LeastPruned;
    private bool _isDisposed;

    public bool Takes(long bytes) => bytes > maxBytes;

    public ArrayReference? Put(ArrayView array, bool isWritable) => Put(array, isWritable, out _);

    /// <inheritdoc cref="IArraySink.Put"/>
    /// <param name="array">The array.</param>
    /// <param name="isWritable">As in <see cref="IArraySink.Put"/>.</param>
    /// <param name="held">The segment stays while the array is referred to, or this.</param>
    internal ArrayReference? Put(ArrayView array, bool isWritable, out HeldSegment? held)
    {
        if (array.Holder is IMemmapped { Mapping.Path: not null })
        {
            // In a file already.
            held = null;
            return null;
        }

        // The factory runs once for an array, outside of any lock; others with the same array wait for it.
        held = _known.GetValue(array.Holder, _ => new Lazy<HeldSegment>(() => Hold(array))).Value;
        return ArrayReference.To(held.Segment, array, isWritable || mode != MmapMode.ReadOnly ? MmapMode.CopyOnWrite : MmapMode.ReadOnly);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        foreach (var reference in _held)
        {
            if (reference.TryGetTarget(out var held))
            {
                held.Dispose();
            }
        }
    }

    private HeldSegment Hold(ArrayView array)
    {
        var held = new HeldSegment(store.Put(array));
        lock (_gate)
        {
            if (!_isDisposed)
            {
                if (_held.Count >= _pruneAt)
                {
                    _held = [.. _held.Where(reference => reference.TryGetTarget(out _))];
                    _pruneAt = Math.Max(LeastPruned, 2 * _held.Count);
                }

                _held.Add(new WeakReference<HeldSegment>(held));
                return held;
            }
        }

        held.Dispose();
        throw new ObjectDisposedException(nameof(StoreSink), "The run has ended.");
    }
}
