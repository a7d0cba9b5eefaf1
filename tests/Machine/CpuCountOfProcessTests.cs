using Xunit;

namespace Orleans.Joblib.Tests.Machine;

/// <summary>Limits as systems and people set them, on a real process: a silo has a worker for each core that it may use.</summary>
public sealed class CpuCountOfProcessTests
{
    [Fact]
    public async Task CpuCount_LokyMaxCpuCount_LimitsIt() =>
        Assert.Equal(1, await SlotsAsync(new() { ["LOKY_MAX_CPU_COUNT"] = "1" }));

    [Fact]
    public async Task CpuCount_RuntimesOwnCount_IsIt() =>
        Assert.Equal(1, await SlotsAsync(new() { ["DOTNET_PROCESSOR_COUNT"] = "1" }));

    [Fact]
    public async Task CpuCount_Affinity_LimitsIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/taskset"), "There is no taskset.");
        Assert.Equal(1, await SlotsAsync(prefix: ["/usr/bin/taskset", "-c", "0"]));
    }

    [Fact]
    public async Task CpuCount_QuotaOfAnOuterGroup_LimitsIt()
    {
        Assert.SkipUnless(Environment.ProcessorCount > 1, "There is only one core.");
        var outer = TryMakeGroup($"joblib-tests-{Guid.NewGuid():N}");
        Assert.SkipUnless(outer is not null, "Control groups cannot be made here: it takes their file system and root.");
        var inner = Directory.CreateDirectory(Path.Combine(outer, "inner")).FullName;
        try
        {
            Assert.Equal(1, await SlotsAsync(prefix: ["/bin/sh", "-c", $"echo $$ > {inner}/cgroup.procs && exec \"$0\" \"$@\""]));
        }
        finally
        {
            Directory.Delete(inner);
            Directory.Delete(outer);
        }
    }

    /// <summary>A group with half a core, of the one version or the other.</summary>
    private static string? TryMakeGroup(string name)
    {
        foreach (var (root, quota, text) in new[] { ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "50000"), ("/sys/fs/cgroup", "cpu.max", "50000 100000") })
        {
            try
            {
                if (Directory.Exists(root) && File.Exists(Path.Combine(root, "cgroup.procs")))
                {
                    var group = Directory.CreateDirectory(Path.Combine(root, name)).FullName;
                    if (File.Exists(Path.Combine(group, quota)))
                    {
                        File.WriteAllText(Path.Combine(group, quota), text);
                        return group;
                    }

                    Directory.Delete(group);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Not ours to make.
            }
        }

        return null;
    }

    private static async Task<int> SlotsAsync(Dictionary<string, string?>? environment = null, string[]? prefix = null)
    {
        var port = FreePorts.Next().ToString();
        await using var silo = SiloProcess.Launch(["--silo-port", port, "--primary-port", port, "--gateway-port", "0", "--health-port", "0"], environment, prefix: prefix);
        await silo.ReadyAsync();
        return silo.Slots;
    }
}
