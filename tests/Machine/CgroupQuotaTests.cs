using Xunit;

namespace Orleans.Joblib.Tests.Machine;

/// <summary>Groups as the kernel shows them, in a folder that stands for the root.</summary>
public sealed class CgroupQuotaTests : IDisposable
{
    private const string Version2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
    private const string Version1 = "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct";

    private readonly string _root = Directory.CreateTempSubdirectory("joblib-cgroup-").FullName;

    [Fact]
    public void Read_Version2_IsTheQuotaOfTheProcesssGroup()
    {
        Process("0::/user.slice", Version2);
        Write("sys/fs/cgroup/user.slice/cpu.max", "150000 100000");
        Assert.Equal(1.5, CgroupQuota.Read(_root));
    }

    [Theory]
    [InlineData("max 100000", "50000 100000", "400000 100000", 0.5)]
    [InlineData("300000 100000", "max 100000", "max 100000", 3.0)]
    [InlineData("200000 100000", "max 100000", "100000 50000", 2.0)]
    [InlineData("max 100000", "max 100000", "max 100000", null)]
    public void Read_NestedGroups_IsTheSmallestOnTheWayUp(string inner, string middle, string outer, double? cores)
    {
        Process("0::/a/b/c", Version2);
        Write("sys/fs/cgroup/a/b/c/cpu.max", inner);
        Write("sys/fs/cgroup/a/b/cpu.max", middle);
        Write("sys/fs/cgroup/a/cpu.max", outer);
        Assert.Equal(cores, CgroupQuota.Read(_root));
    }

    [Fact]
    public void Read_Version1_IsTheSmallestOfTheCpuController()
    {
        Process("4:memory:/other\n3:cpu,cpuacct:/docker/x\n0::/", Version1, Version2);
        Write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1");
        Write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000");
        Write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "250000");
        Write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000");
        Assert.Equal(2.5, CgroupQuota.Read(_root));
    }

    // A container that sees its own group as the root of the mount, and its path from outside.
    [Fact]
    public void Read_ContainersGroupMountedAsRoot_IsFound()
    {
        Process("0::/kubepods/pod1/c1", "29 23 0:26 /kubepods/pod1/c1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw");
        Write("sys/fs/cgroup/cpu.max", "75000 100000");
        Assert.Equal(0.75, CgroupQuota.Read(_root));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("0 100000")]
    [InlineData("100000 0")]
    [InlineData("-5 100000")]
    public void Read_UnreadableFile_IsNoLimit(string text)
    {
        Process("0::/a", Version2);
        Write("sys/fs/cgroup/a/cpu.max", text);
        Assert.Null(CgroupQuota.Read(_root));
    }

    [Fact]
    public void Read_NoGroupsAtAll_IsNoLimit() => Assert.Null(CgroupQuota.Read(_root));

    [Fact]
    public void ReadLinux_HyperThreadsAndOfflineProcessors_CountCoresOnceAndOfflineOnesNot()
    {
        for (var cpu = 0; cpu < 8; cpu++)
        {
            Directory.CreateDirectory(Path.Combine(_root, $"cpu{cpu}"));
            if (cpu < 6)
            {
                Write($"cpu{cpu}/topology/physical_package_id", $"{cpu / 4}");
                Write($"cpu{cpu}/topology/core_id", $"{cpu / 2 % 2}");
            }
        }

        Write("cpufreq/policy", "x");
        Assert.Equal((6, 3), CpuTopology.ReadLinux(_root));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Process(string groups, params string[] mounts)
    {
        Write("proc/self/cgroup", groups + "\n");
        Write("proc/self/mountinfo", string.Join('\n', mounts) + "\n");
    }

    private void Write(string path, string text)
    {
        var file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
