using System.Globalization;

namespace Orleans.Joblib;

/// <summary>How many cores this process may use.</summary>
/// <remarks>joblib 1.6, <c>cpu_count</c>; loky 3.5, <c>context.py</c>. The runtime's own count already honours affinity and the cgroup v1/v2 quota, rounded up.</remarks>
internal static class CpuCounter
{
    internal const string MaxVariable = "LOKY_MAX_CPU_COUNT";

    internal static int Count(bool onlyPhysicalCores)
    {
        var allowed = Environment.ProcessorCount;
        var limit = Limit();
        var count = Math.Max(1, Math.Min(allowed, limit ?? int.MaxValue));

        // A user's limit is a count of whatever the user meant: it is not cut again.
        if (!onlyPhysicalCores || count < allowed || PhysicalCores() is not { } physical)
        {
            return count;
        }

        return Math.Clamp(physical, 1, count);
    }

    private static int? Limit() =>
        int.TryParse(Environment.GetEnvironmentVariable(MaxVariable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var limit) ? limit : null;

    private static int? PhysicalCores()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            var cores = new HashSet<string>();
            foreach (var cpu in Directory.EnumerateDirectories("/sys/devices/system/cpu", "cpu*"))
            {
                var topology = Path.Combine(cpu, "topology");
                var core = Path.Combine(topology, "core_id");
                if (File.Exists(core))
                {
                    cores.Add(File.ReadAllText(Path.Combine(topology, "physical_package_id")).Trim() + "/" + File.ReadAllText(core).Trim());
                }
            }

            return cores.Count == 0 ? null : cores.Count;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
