using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>In a worker process: says when it has grown past its limit since its first batch. One thread at a time.</summary>
/// <remarks>loky: <c>_process_worker</c>, which looks at most once a second, and once more after a collection.</remarks>
internal sealed class WorkerMemory(long maxGrowth)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private long _lookedAt;

    /// <summary>What the process occupied after its first batch, in bytes; 0 before.</summary>
    internal long FirstBytes { get; private set; }

    internal bool HasGrownTooMuch(out long bytes)
    {
        bytes = 0;
        if (FirstBytes == 0)
        {
            FirstBytes = Environment.WorkingSet;
            _lookedAt = Stopwatch.GetTimestamp();
            return false;
        }

        if (Stopwatch.GetElapsedTime(_lookedAt) < Period)
        {
            return false;
        }

        _lookedAt = Stopwatch.GetTimestamp();
        bytes = Environment.WorkingSet;
        if (bytes - FirstBytes <= maxGrowth)
        {
            return false;
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        bytes = Environment.WorkingSet;
        return bytes - FirstBytes > maxGrowth;
    }
}
