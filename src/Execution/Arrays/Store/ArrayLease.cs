namespace Orleans.Joblib;

/// <summary>The right to use a segment: as long as one is held, by any process, it stays. Dispose it once.</summary>
internal sealed class ArrayLease(ArrayStore store, Segment segment) : IDisposable
{
    private Segment? _segment = segment;

    internal Segment Segment => _segment ?? throw new ObjectDisposedException(nameof(ArrayLease));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _segment, null) is { } segment)
        {
            store.Release(segment);
        }
    }
}
