using System.Diagnostics;
using System.Reflection;
using Xunit;

namespace Orleans.Joblib.Tests.Python;

/// <summary>The tests of joblib-orleans, on real silos with real Python workers: python/tests/run, which fetches what it needs from Debian.</summary>
public sealed class PythonTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(6);

    [Theory]
    [InlineData("installed")]
    [InlineData("trixie", "tests/test_contract.py")]
    [InlineData("sid", "tests/test_contract.py")]
    public async Task JoblibOrleans_PassesItsTests(string joblib, params string[] files)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/python3"), "There is no Python of Debian here.");
        var said = await RunAsync(Path.Combine(Python, "tests", "run"), files, new Dictionary<string, string?> { ["JOBLIB_TESTS_WITH"] = joblib, ["JOBLIB_SILO"] = Value("SiloProgram") });
        TestContext.Current.TestOutputHelper!.WriteLine(said);
        Assert.Matches("[1-9][0-9]* passed", said);
    }

    /// <summary>The client and its gateway on one host, the silo with Python on another, as far as files go: arrays travel through blob storage, or through the silos.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task JoblibOrleans_ArraysOfAnotherHost_Travel(bool throughBlobs)
    {
        using var host = MountNamespace.TryCreate(out var reason);
        Assert.SkipWhen(host is null, reason);
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "There is no Python of Debian here.");
        using var azurite = throughBlobs ? await Azurite.StartAsync() : null;
        var blobs = new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = azurite?.Setting("arrays"), ["PYTHONPATH"] = Python };
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 2);
        await silos.AddAsync(1, blobs, host.Prefix, "--python", "/usr/bin/python3");
        var gateway = Assert.Single(await silos.AddAsync(1, blobs, null, "--grpc-port", "0"));
        var said = await RunAsync("/usr/bin/python3", [Path.Combine(Python, "..", "tests", "Python", "other_host.py"), gateway.Grpc], blobs);
        Assert.Contains("6 looks and 6 results of another host", said);
        Patience.Until(() => host.Segments.Length == 0, "the other host to free the arrays");
    }

    private static string Python => Path.GetFullPath(Path.Combine(Value("Infra"), "..", "python"));

    /// <returns>All that the program wrote.</returns>
    private static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation).WaitAsync(Longest, cancellation);
            var said = await output + await errors;
            Assert.True(process.ExitCode == 0, said);
            return said;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string Value(string name) => typeof(PythonTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == name).Value!;
}
