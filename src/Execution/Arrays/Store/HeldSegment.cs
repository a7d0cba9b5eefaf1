namespace Orleans.Joblib;

/// <summary>A run's lease of a segment, which ends with the run, or when nobody can ask for it any more: when the collector has found neither the array that it was made from nor a batch under way.</summary>
internal sealed class HeldSegment(ArrayLease lease) : IDisposable
{
    ~HeldSegment() => lease.Dispose();

    internal Segment Segment { get; } = lease.Segment;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        lease.Dispose();
    }
}
