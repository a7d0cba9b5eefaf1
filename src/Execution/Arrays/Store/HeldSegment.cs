namespace Orleans.Joblib;

/// <summary>A run's lease of a segment, which ends with the run, or when nobody can ask for it any more: when the collector has found neither the array that it was made from nor a batch under way.</summary>
internal sealed class HeldSegment(ArrayLease lease) : IDisposable
{
    ~HeldSegment()
    {
        try
        {
            lease.Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // The file system is in trouble, or the process ends: a finalizer must not throw, and a sweep finds what is left.
        }
    }

    private int _counted;

    internal Segment Segment { get; } = lease.Segment;

    /// <summary>Its bytes for the batch that first refers to it; 0 for others.</summary>
    internal long NewBytes() => Interlocked.Exchange(ref _counted, 1) == 0 ? Segment.Length : 0;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        lease.Dispose();
    }
}
