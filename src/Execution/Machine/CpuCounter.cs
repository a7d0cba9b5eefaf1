using System.Globalization;

namespace Orleans.Joblib;

/// <summary>How many cores this process may use.</summary>
/// <remarks>joblib 1.6, <c>cpu_count</c>; loky 3.5, <c>context.py</c>. The runtime's own count already honours affinity and the cgroup v1/v2 quota, rounded up.</remarks>
internal static class CpuCounter
{
    internal const string MaxVariable = "LOKY_MAX_CPU_COUNT";

    internal static int Count(bool onlyPhysicalCores)
    {
        var count = Math.Max(1, Math.Min(Environment.ProcessorCount, Limit() ?? int.MaxValue));
        return onlyPhysicalCores && Cores() is { } cores ? Choose(count, cores.Logical, cores.Physical) : count;
    }

    /// <summary>The physical cores, unless a limit (affinity, quota, variable) already cut the machine's: a limit counts whatever its maker meant, and is not cut again.</summary>
    internal static int Choose(int count, int logical, int physical) => count < logical ? count : Math.Clamp(physical, 1, count);

    private static int? Limit() =>
        int.TryParse(Environment.GetEnvironmentVariable(MaxVariable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var limit) ? limit : null;

    private static (int Logical, int Physical)? Cores()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            var logical = 0;
            var cores = new HashSet<string>();
            foreach (var cpu in Directory.EnumerateDirectories("/sys/devices/system/cpu", "cpu*"))
            {
                var topology = Path.Combine(cpu, "topology");
                var core = Path.Combine(topology, "core_id");
                if (File.Exists(core))
                {
                    logical++;
                    cores.Add(File.ReadAllText(Path.Combine(topology, "physical_package_id")).Trim() + "/" + File.ReadAllText(core).Trim());
                }
            }

            return logical == 0 ? null : (logical, cores.Count);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
