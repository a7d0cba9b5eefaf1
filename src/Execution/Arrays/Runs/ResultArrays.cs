namespace Orleans.Joblib;

/// <summary>Where the large arrays of a batch's results go. Nobody else refers to them, so they are not hashed. They stay until the caller has them: dispose this then.</summary>
internal sealed class ResultArrays(ArraySettings settings, long maxBytes) : IArraySink, IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<(ArrayLease Lease, ArrayReference Reference)> _written = [];
    private bool _isDisposed;

    /// <summary>The segments that the results' payload refers to.</summary>
    internal IReadOnlyList<ArrayReference> References
    {
        get
        {
            lock (_gate)
            {
                return [.. _written.Select(written => written.Reference)];
            }
        }
    }

    public bool Takes(long bytes) => bytes > maxBytes;

    public ArrayReference? Put(ArrayView array, bool isWritable)
    {
        if (settings.SharesFiles && array.Holder is IMemmapped { Mapping: { Path: not null, Owner: not SegmentLock } })
        {
            // The user's own file.
            return null;
        }

        var lease = ArrayStores.Of(settings).PutUnshared(array);
        var reference = ArrayReference.To(lease.Segment, array, MmapMode.CopyOnWrite);
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _written.Add((lease, reference));
                return reference;
            }
        }

        lease.Dispose();
        throw new ObjectDisposedException(nameof(ResultArrays), "The run has ended.");
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        foreach (var (lease, _) in _written)
        {
            lease.Dispose();
        }
    }
}
