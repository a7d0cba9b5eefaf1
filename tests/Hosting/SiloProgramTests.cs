using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Orleans.Joblib.Tests.Hosting;

/// <summary>The silo executable, started as users start it.</summary>
public sealed class SiloProgramTests
{
    [Fact]
    public async Task Help_ListsTheSettings()
    {
        var (code, output) = await RunAsync(["--help"]);
        Assert.Equal(0, code);
        Assert.All(["--cluster", "--silo-port", "--gateway-port", "--listen-address", "--tls-ca", "--drain-timeout", "--code-cache", "--code-cache-size", "--code-idle-time", "--workers", "--idle-worker-timeout"], option => Assert.Contains(option, output));
        Assert.DoesNotContain("--tls-password", output);
    }

    [Fact]
    public async Task Start_FaultsInCommandLineEnvironmentAndFile_AreReportedTogether()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, """{ "Joblib": { "Slots": 0, "SiloProt": 1, "LogLevel": "Loud" } }""", TestContext.Current.CancellationToken);
            var (code, output) = await RunAsync(
                ["--config", file, "--cluster", "redis://", "--silo-port", "x"], new Dictionary<string, string?> { ["JOBLIB_DRAIN_TIMEOUT"] = "soon" });
            Assert.Equal(2, code);
            Assert.Contains("Joblib:Slots must not be '0'", output);
            Assert.Contains("'Joblib:SiloProt' (in the appsettings file) is not known", output);
            Assert.Contains("Joblib:LogLevel must not be 'Loud'", output);
            Assert.Contains("The cluster string must not be 'redis://'", output);
            Assert.Contains("--silo-port must not be 'x'", output);
            Assert.Contains("JOBLIB_DRAIN_TIMEOUT must not be 'soon'", output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("--silo-prot 1", "--silo-prot")]
    [InlineData("--listen-address 0.0.0.0 --cluster redis://127.0.0.1", "listen-address must not be '0.0.0.0' without TLS")]
    [InlineData("--tls-certificate /none.pem", "there is no file '/none.pem'")]
    [InlineData("--cluster host:30000", "cluster must not be 'host:30000?cluster=joblib'")]
    [InlineData("--silo-port 5000 --gateway-port 5000", "two are '5000'")]
    [InlineData("--silo-port 5000 --grpc-port 5000", "two are '5000'")]
    [InlineData("--grpc-address 0.0.0.0", "grpc-address must not be '0.0.0.0' without TLS")]
    [InlineData("--config /none.json", "'/none.json'")]
    [InlineData("--tls-ca /none.pem --tls-check-revocation yes", "tls-check-revocation must not be 'yes'")]
    [InlineData("--workers Threads,Processes", "--workers must not be 'Threads,Processes'")]
    [InlineData("--workers +1", "--workers must not be '+1'")]
    [InlineData("--code-cache code", "--code-cache must not be 'code'. Use an absolute path")]
    [InlineData("--code-cache-size 15M", "--code-cache-size must not be '15M'")]
    [InlineData("--code-cache-size 9999999999G", "--code-cache-size must not be '9999999999G'")]
    [InlineData("--code-cache-size big", "--code-cache-size must not be 'big'")]
    [InlineData("--workers fibres", "--workers must not be 'fibres'. Use one of 'Threads', 'Processes'")]
    [InlineData("--otlp-endpoint collector:4317", "--otlp-endpoint must not be 'collector:4317'. Use a URL")]
    [InlineData("--otlp-protocol smoke", "--otlp-protocol must not be 'smoke'. Use one of 'Grpc', 'HttpProtobuf'")]
    [InlineData("--prometheus maybe", "--prometheus must not be 'maybe'")]
    [InlineData("--code-idle-time 0", "--code-idle-time must not be '0'")]
    [InlineData("--code-idle-time 8.00:00:00", "--code-idle-time must not be '8.00:00:00'")]
    public async Task Start_BadSetting_ExitsWithTwoAndSaysSo(string arguments, string fault)
    {
        var (code, output) = await RunAsync(arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(fault, output);
        Assert.DoesNotContain("   at ", output);
    }

    [Fact]
    public async Task Start_NoRedis_ExitsWithOneNamingIt()
    {
        var port = FreePorts.Next();
        var (code, output) = await RunAsync(["--cluster", $"redis://127.0.0.1:{port}"]);
        Assert.Equal(1, code);
        Assert.Contains($"Redis at 'redis://127.0.0.1:{port}?cluster=joblib' was not reached", output);
    }

    [Fact]
    public async Task Start_NoPrimarySilo_ExitsWithOneNamingIt()
    {
        var port = FreePorts.Next();
        var (code, output) = await RunAsync(["--silo-port", "0", "--primary-port", $"{port}", "--gateway-port", "0", "--health-port", "0"]);
        Assert.Equal(1, code);
        Assert.Contains($"No silo listens on the primary port {port}", output);
        Assert.DoesNotContain("   at ", output);
    }

    [Fact]
    public async Task Sigterm_BeforeItIsReady_StopsAsAsked()
    {
        using var silo = ChildProcess.Start("SiloProgram", ["--silo-port", "0", "--primary-port", $"{FreePorts.Next()}", "--gateway-port", "0", "--health-port", "0"], null);
        await silo.LineAsync("joblib-silo: waiting for the silo on the primary port");
        silo.Terminate();
        Assert.Equal(0, await silo.ExitAsync());
        Assert.DoesNotContain("   at ", silo.Output);
    }

    [Fact]
    public async Task Start_ConfigFileWhoseNameBeginsWithADot_IsRead()
    {
        var file = Path.Combine(Path.GetTempPath(), $".joblib-{Guid.NewGuid():N}.json");
        try
        {
            await File.WriteAllTextAsync(file, """{ "Joblib": { "Slots": 0 } }""", TestContext.Current.CancellationToken);
            var (code, output) = await RunAsync(["--config", file]);
            Assert.Equal(2, code);
            Assert.Contains("Joblib:Slots must not be '0'", output);
            await File.WriteAllTextAsync(file, """{ "Joblib": """, TestContext.Current.CancellationToken);
            (code, output) = await RunAsync(["--config", file]);
            Assert.Equal(2, code);
            Assert.Contains("Correct its JSON", output);
            Assert.DoesNotContain("   at ", output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Sigterm_WhileItStarts_StopsAsAsked()
    {
        var redis = await RedisServer.SharedAsync();
        using var silo = ChildProcess.Start("SiloProgram", ["--cluster", redis.ClusterString(Guid.NewGuid().ToString("N")), "--silo-port", "0", "--gateway-port", "0", "--health-port", "0", "--log-level", "Debug"], null);

        // A line of Orleans' log: it is in the middle of its stages.
        await silo.LineAsync("20");
        silo.Terminate();
        Assert.Equal(0, await silo.ExitAsync());
        Assert.DoesNotContain("nothing is running", silo.Output);
    }

    [Theory]
    [InlineData("--health-port", "health")]
    [InlineData("--grpc-port", "grpc")]
    [InlineData("--dashboard --dashboard-port", "dashboard")]
    public async Task Start_PortOfItsServersTaken_SaysSoBeforeItJoins(string option, string name)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var redis = await RedisServer.SharedAsync();
        string[] health = name == "health" ? [] : ["--health-port", "0"];
        var (code, output) = await RunAsync(["--cluster", redis.ClusterString(Guid.NewGuid().ToString("N")), "--silo-port", "0", "--gateway-port", "0", .. health, .. option.Split(' '), $"{port}", "--log-level", "Debug"]);
        Assert.Equal(1, code);
        Assert.Contains($"A port is taken by another process ({name} '127.0.0.1:{port}')", output);
        Assert.DoesNotContain("Orleans.", output);
    }

    [Fact]
    public async Task Start_AddressOfAnotherHost_SaysSo()
    {
        // Of a net for documentation: no host has it.
        var (code, output) = await RunAsync(["--silo-port", "0", "--gateway-port", "0", "--health-port", "0", "--health-address", "192.0.2.1"]);
        Assert.Equal(1, code);
        Assert.Contains("The silo cannot listen on health '192.0.2.1:0'", output);
        Assert.DoesNotContain("   at ", output);
    }

    [Fact]
    public async Task Start_PortTaken_ExitsWithOneNamingIt()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var own = FreePorts.Next();
        var (code, output) = await RunAsync(["--silo-port", $"{own}", "--primary-port", $"{own}", "--gateway-port", $"{port}", "--health-port", "0"]);
        Assert.Equal(1, code);
        Assert.Contains("A port is taken", output);
        Assert.Contains($"127.0.0.1:{port}", output);
    }

    [Fact]
    public async Task Run_DevelopmentCluster_AnswersHealthAndClientAndStopsAtSigterm()
    {
        var port = FreePorts.Next().ToString();
        await using var silo = await SiloProcess.StartAsync("--silo-port", port, "--primary-port", port, "--slots", "3");
        using var http = new HttpClient { BaseAddress = silo.Health };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/healthz/live", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/healthz/ready", TestContext.Current.CancellationToken)).StatusCode);

        await using (var cluster = await JoblibCluster.ConnectAsync($"localhost:{silo.Gateway.Port}"))
        {
            var slots = await cluster.Client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo.Address)).GetStatusAsync();
            Assert.Equal((3, JoblibProtocol.Version, false), (slots.Size, slots.Protocol, slots.Draining));
            Assert.Equal(3, new OrleansBackend(cluster.Client).EffectiveNJobs(-1));
        }

        silo.Terminate();
        Assert.Equal(0, await silo.ExitAsync());
    }

    [Fact]
    public async Task Run_SettingsInEnvironment_CommandLineWins()
    {
        var port = FreePorts.Next().ToString();
        await using var silo = SiloProcess.Launch(
            ["--slots", "2"],
            new Dictionary<string, string?>
            {
                ["JOBLIB_SILO_PORT"] = port,
                ["JOBLIB_PRIMARY_PORT"] = port,
                ["JOBLIB_GATEWAY_PORT"] = "0",
                ["JOBLIB_HEALTH_PORT"] = "0",
                ["JOBLIB_SLOTS"] = "7",
                ["JOBLIB_CLUSTER"] = "localhost?cluster=x",
            });
        await silo.ReadyAsync();
        Assert.Contains(" slots=2 ", silo.Output);
        Assert.Contains(" cluster=localhost?cluster=x ", silo.Output);
    }

    [Fact]
    public async Task Start_CodeCacheCannotBeMade_ExitsWithOneNamingIt()
    {
        var file = Path.GetTempFileName();
        try
        {
            var port = FreePorts.Next().ToString();
            var (code, output) = await RunAsync(["--code-cache", Path.Combine(file, "code"), "--silo-port", port, "--primary-port", port, "--gateway-port", "0", "--health-port", "0"]);
            Assert.Equal(1, code);
            Assert.Contains($"The code cache '{Path.Combine(file, "code")}'", output);
            Assert.Contains("cannot be used", output);
            Assert.Contains("--code-cache", output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        await using var silo = SiloProcess.Launch(arguments, environment);
        var code = await silo.ExitAsync();
        return (code, silo.Output);
    }
}
