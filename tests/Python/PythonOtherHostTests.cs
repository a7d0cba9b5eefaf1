using Xunit;

namespace Orleans.Joblib.Tests.Python;

/// <summary>The client and its gateway on one host, the silo with Python on another, as far as files go.</summary>
public sealed class PythonOtherHostTests : PythonTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Arrays_TravelThroughBlobStorageOrTheSilos(bool throughBlobs)
    {
        using var host = MountNamespace.TryCreate(out var reason);
        Assert.SkipWhen(host is null, reason);
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "There is no Python of Debian here.");
        await PrepareAsync();
        using var azurite = throughBlobs ? await Azurite.StartAsync() : null;
        var blobs = new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = azurite?.Setting("arrays"), ["PYTHONPATH"] = Python };
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 2);
        await silos.AddAsync(1, blobs, host.Prefix, "--python", "/usr/bin/python3");
        var gateway = Assert.Single(await silos.AddAsync(1, blobs, null, "--grpc-port", "0"));
        var said = await RunAsync("/usr/bin/python3", [Path.Combine(Python, "..", "tests", "Python", "other_host.py"), gateway.Grpc], blobs);
        Assert.Contains("6 looks and 6 results of another host", said);
        Patience.Until(() => host.Segments.Length == 0, "the other host to free the arrays");
    }
}
