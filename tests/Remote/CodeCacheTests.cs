using Orleans.Joblib.Tests.Code;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>The code cache of a silo in another process: where it is told to be, and what its client hears when the disk there is full.</summary>
public sealed class CodeCacheTests
{
    [Fact]
    public async Task Run_FolderGivenInTheEnvironment_HoldsTheCode()
    {
        var root = Directory.CreateTempSubdirectory("joblib-cache-").FullName;
        try
        {
            await RunOnAsync(root, size: "64M", connection => Assert.Equal([1, 1], Loop(connection)));
            Assert.Contains(Directory.EnumerateFiles(Path.Combine(root, "blobs")), file => new FileInfo(file).Length == new FileInfo(typeof(CodeCacheTests).Assembly.Location).Length);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task Run_DiskIsFull_ThrowsNamingTheCache()
    {
        using var disk = SmallDisk.TryMount(1 << 20);
        Assert.SkipWhen(disk is null, "A tmpfs cannot be mounted here: not root, or not Linux.");
        await RunOnAsync(disk.Directory, size: "64M", connection =>
        {
            var thrown = Assert.Throws<JoblibException>(() => Loop(connection));
            Assert.Contains($"The disk of the code cache '{disk.Directory}'", thrown.Message);
            Assert.EndsWith("#code-cache-full", thrown.HelpLink);
        });
    }

    [Fact]
    public async Task Run_CodeIsLargerThanTheBound_ThrowsNamingTheBound()
    {
        var root = Directory.CreateTempSubdirectory("joblib-cache-").FullName;
        try
        {
            // This test program brings Roslyn along.
            await RunOnAsync(root, size: "16M", connection =>
            {
                var thrown = Assert.Throws<JoblibException>(() => Loop(connection));
                Assert.Contains("--code-cache-size", thrown.Message);
            });
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static int[] Loop(JoblibCluster connection) => Parallel(nJobs: 2, backend: new OrleansBackend(connection.Client)).Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => 1)));

    private static async Task RunOnAsync(string root, string size, Action<JoblibCluster> use)
    {
        var port = FreePorts.Next().ToString();
        await using var silo = SiloProcess.Launch(
            ["--silo-port", port, "--primary-port", port, "--gateway-port", "0", "--health-port", "0", "--slots", "2"],
            new Dictionary<string, string?> { ["JOBLIB_CODE_CACHE"] = root, ["JOBLIB_CODE_CACHE_SIZE"] = size, ["JOBLIB_CODE_IDLE_TIME"] = "60" });
        await silo.ReadyAsync();
        await using var connection = await JoblibCluster.ConnectAsync($"localhost:{silo.Gateway.Port}");
        use(connection);
    }
}
