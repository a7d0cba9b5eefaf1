using System.Diagnostics;
using System.Globalization;

namespace Orleans.Joblib;

/// <summary>How many cores this process may use.</summary>
/// <remarks>joblib 1.6, <c>cpu_count</c>; loky 3.5, <c>context.py</c>. The runtime's own count has the affinity at its start and the quota of the innermost group.</remarks>
internal static class CpuCounter
{
    internal const string MaxVariable = "LOKY_MAX_CPU_COUNT";

    // A container's quota may change while it runs; reading it takes a tenth of a millisecond.
    private static readonly TimeSpan QuotaAge = TimeSpan.FromSeconds(1);
    private static readonly Lazy<(int Logical, int Physical)?> Cores = new(CpuTopology.Read);
    private static Quota _quota = new(null, null);

    internal static int Count(bool onlyPhysicalCores)
    {
        var count = Math.Max(1, Math.Min(Math.Min(Environment.ProcessorCount, QuotaCores() ?? int.MaxValue), Limit() ?? int.MaxValue));
        return onlyPhysicalCores && Cores.Value is { } cores ? Choose(count, cores.Logical, cores.Physical) : count;
    }

    /// <summary>The physical cores, unless a limit (affinity, quota, variable) already cut the machine's: a limit counts whatever its maker meant, and is not cut again.</summary>
    internal static int Choose(int count, int logical, int physical) => count < logical ? count : Math.Clamp(physical, 1, count);

    private static int? Limit() =>
        int.TryParse(Environment.GetEnvironmentVariable(MaxVariable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var limit) ? limit : null;

    private static int? QuotaCores()
    {
        var quota = _quota;
        if (quota.ReadAt is not { } readAt || Stopwatch.GetElapsedTime(readAt) > QuotaAge)
        {
            _quota = quota = new Quota(OperatingSystem.IsLinux() ? CgroupQuota.Read("/") : null, Stopwatch.GetTimestamp());
        }

        return quota.Cores is { } cores ? (int)Math.Min(Math.Ceiling(cores), int.MaxValue) : null;
    }

    private sealed record Quota(double? Cores, long? ReadAt);
}
