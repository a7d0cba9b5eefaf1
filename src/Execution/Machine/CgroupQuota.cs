using System.Globalization;

namespace Orleans.Joblib;

/// <summary>The share of cores that Linux' control groups leave this process, version 1 and 2: the smallest quota on the way from its group to the root.</summary>
internal static class CgroupQuota
{
    /// <param name="root">"/", or a folder that stands for it.</param>
    /// <returns>Cores, with fractions; null where nothing limits them or it cannot be read.</returns>
    internal static double? Read(string root)
    {
        try
        {
            var mounts = File.ReadLines(Path.Combine(root, "proc/self/mountinfo")).Select(Mount.Parse).OfType<Mount>().ToArray();
            double? least = null;
            foreach (var line in File.ReadLines(Path.Combine(root, "proc/self/cgroup")))
            {
                if (line.Split(':', 3) is not [_, var controllers, var path])
                {
                    continue;
                }

                var isVersion2 = controllers.Length == 0;
                if (!isVersion2 && !controllers.Split(',').Contains("cpu"))
                {
                    continue;
                }

                foreach (var mount in mounts.Where(mount => isVersion2 ? mount.Type == "cgroup2" : mount.Type == "cgroup" && mount.Options.Split(',').Contains("cpu")))
                {
                    var quota = LeastUpwards(Path.Combine(root, mount.Point.TrimStart('/')), mount.Below(path), isVersion2 ? OfVersion2 : OfVersion1);
                    least = quota is { } cores && !(cores >= least) ? cores : least;
                }
            }

            return least;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static double? LeastUpwards(string top, string path, Func<string, double?> quotaOf)
    {
        double? least = null;
        while (true)
        {
            var quota = quotaOf(Path.Combine(top, path));
            least = quota is { } cores && !(cores >= least) ? cores : least;
            if (path.Length == 0)
            {
                return least;
            }

            path = Path.GetDirectoryName(path) ?? "";
        }
    }

    // "max 100000" or "50000 100000"; the root group has no such file.
    private static double? OfVersion2(string group) =>
        ReadText(Path.Combine(group, "cpu.max"))?.Split(' ') is [var quota, var period] ? Divide(quota, period) : null;

    private static double? OfVersion1(string group) => Divide(ReadText(Path.Combine(group, "cpu.cfs_quota_us")), ReadText(Path.Combine(group, "cpu.cfs_period_us")));

    private static double? Divide(string? quota, string? period) =>
        long.TryParse(quota, NumberStyles.None, CultureInfo.InvariantCulture, out var share)
        && long.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out var whole)
        && share > 0
        && whole > 0
            ? (double)share / whole
            : null;

    private static string? ReadText(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : null;

    /// <summary>A line of mountinfo.</summary>
    private sealed record Mount(string Root, string Point, string Type, string Options)
    {
        internal static Mount? Parse(string line)
        {
            var fields = line.Split(' ');
            var end = Array.IndexOf(fields, "-");
            return end >= 5 && fields.Length > end + 3 ? new Mount(Unescape(fields[3]), Unescape(fields[4]), fields[end + 1], fields[end + 3]) : null;
        }

        /// <summary>Where a group lies below the mount's point. A container may see its own group mounted as the root, or a group that it cannot see at all.</summary>
        internal string Below(string group)
        {
            if (group.Contains("..", StringComparison.Ordinal))
            {
                return "";
            }

            var root = Root.TrimEnd('/');
            return group == root || group.StartsWith(root + "/", StringComparison.Ordinal) ? group[root.Length..].Trim('/') : "";
        }

        private static string Unescape(string field) => field.Replace(@"\040", " ", StringComparison.Ordinal);
    }
}
