using System.Diagnostics;
using System.Globalization;

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
            FirstBytes = OwnBytes();
            _lookedAt = Stopwatch.GetTimestamp();
            return false;
        }

        if (Stopwatch.GetElapsedTime(_lookedAt) < Period)
        {
            return false;
        }

        _lookedAt = Stopwatch.GetTimestamp();
        bytes = OwnBytes();
        if (bytes - FirstBytes <= maxGrowth)
        {
            return false;
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        bytes = OwnBytes();
        return bytes - FirstBytes > maxGrowth;
    }

    // Mapped files are shared: an array of 1 GiB that every worker reads is no growth of any of them.
    private static long OwnBytes()
    {
        if (OperatingSystem.IsLinux() && File.ReadAllText("/proc/self/statm").Split(' ') is [_, var resident, var shared, ..])
        {
            return (long.Parse(resident, CultureInfo.InvariantCulture) - long.Parse(shared, CultureInfo.InvariantCulture)) * Environment.SystemPageSize;
        }

        return Environment.WorkingSet;
    }
}
