using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A run's way into the array store of its host: arrays over its limit go there, each object once, and stay until it is disposed. Thread-safe.</summary>
/// <remarks>
/// An array that is changed between two runs is looked at again by the second. Within one run it is what it was when it was first seen, as in joblib.
/// </remarks>
internal sealed class StoreSink(ArrayStore store, long maxBytes, MmapMode mode = MmapMode.ReadOnly) : IArraySink, IDisposable
{
    private readonly Lock _gate = new();
    private readonly ConditionalWeakTable<object, Lazy<ArrayLease>> _known = [];
    private readonly List<ArrayLease> _leases = [];
    private bool _isDisposed;

    public bool Takes(long bytes) => bytes > maxBytes;

    public ArrayReference? Put(ArrayView array, bool isWritable)
    {
        if (array.Holder is IMemmapped { Mapping.Path: not null })
        {
            // In a file already.
            return null;
        }

        // The factory runs once for an array, outside of any lock; others with the same array wait for it.
        var lease = _known.GetValue(array.Holder, _ => new Lazy<ArrayLease>(() => Lease(array))).Value;
        return ArrayReference.To(lease.Segment, array, isWritable || mode != MmapMode.ReadOnly ? MmapMode.CopyOnWrite : MmapMode.ReadOnly);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        foreach (var lease in _leases)
        {
            lease.Dispose();
        }
    }

    private ArrayLease Lease(ArrayView array)
    {
        var lease = store.Put(array);
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _leases.Add(lease);
                return lease;
            }
        }

        lease.Dispose();
        throw new ObjectDisposedException(nameof(StoreSink), "The run has ended.");
    }
}
