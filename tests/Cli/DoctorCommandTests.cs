using System.Text.Json;
using Xunit;

namespace Orleans.Joblib.Tests.Cli;

[Collection(nameof(CliFixture))]
public sealed class DoctorCommandTests(CliFixture fixture)
{
    [Fact]
    public async Task Doctor_ClusterThatIsWell_FindsNoFault()
    {
        var silo = fixture.Cluster.Silos[0];
        var ports = new Dictionary<string, string?>
        {
            ["JOBLIB_SILO_PORT"] = silo.Address.Endpoint.Port.ToString(),
            ["JOBLIB_GATEWAY_PORT"] = silo.Gateway.Port.ToString(),
            ["JOBLIB_HEALTH_PORT"] = silo.Health.Port.ToString(),
        };
        var findings = Findings((await CliProcess.RunAsync(["doctor", "--json", "--cluster", fixture.Cluster.Address], ports)).Exited(0));
        Assert.All(["silo-port", "gateway-port", "health-port"], check => Assert.Contains("is that of a silo", Assert.Single(findings, finding => finding.Check == check).Message, StringComparison.Ordinal));
        Assert.DoesNotContain(findings, finding => finding.Status == "fault");
        Assert.All(["shared-memory", "open-files", "processes", "cores", "silo-port", "gateway-port", "health-port", "certificate", "blobs"], check => Assert.Single(findings, finding => finding.Check == check));
        Assert.All(["redis", "membership", "cluster"], check => Assert.Single(findings, finding => finding.Check == check));
        Assert.Equal(2, findings.Count(finding => finding is { Check: "gateway", Status: "ok" }));
        Assert.Equal(2, findings.Count(finding => finding.Check == "clock"));
        Assert.All(findings.Where(finding => finding.Status != "ok"), finding => Assert.NotNull(finding.Remedy));
    }

    [Theory]
    [InlineData(60, "fault", "ahead of", 1)]
    [InlineData(-60, "fault", "behind", 1)]
    [InlineData(-3, "warning", "behind", 0)]
    public async Task Doctor_SiloWithAnotherClock_NamesItAndTheRemedy(int seconds, string status, string direction, int exitCode)
    {
        await using var guest = await GuestSilo.StartAsync(TimeSpan.FromSeconds(seconds));
        var clock = Assert.Single(Findings((await CliProcess.RunAsync("doctor", "--json", "--cluster", guest.Cluster)).Exited(exitCode)), finding => finding.Check == "clock");
        Assert.Equal(status, clock.Status);
        Assert.Contains($"127.0.0.1:{guest.SiloPort}@", clock.Message, StringComparison.Ordinal);
        Assert.Contains(direction, clock.Message, StringComparison.Ordinal);
        Assert.Contains("NTP", clock.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_RedisAway_IsAFault()
    {
        var port = FreePorts.Next();
        var redis = Assert.Single(Findings((await CliProcess.RunAsync("doctor", "--json", "--connect-timeout", "1", "--cluster", $"redis://:secret@127.0.0.1:{port}")).Exited(1)), finding => finding.Check == "redis");
        Assert.Equal("fault", redis.Status);
        Assert.Contains($"Redis at 'redis://127.0.0.1:{port}?cluster=joblib' was not reached", redis.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_NoSuchClusterInRedis_IsAFault()
    {
        var answer = (await CliProcess.RunAsync("doctor", "--json", "--cluster", fixture.Cluster.Redis.ClusterString("nobody"))).Exited(1);
        Assert.Contains("knows no cluster 'nobody'", Assert.Single(Findings(answer), finding => finding.Check == "membership").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_NoGateway_IsAFault()
    {
        var port = FreePorts.Next();
        var findings = Findings((await CliProcess.RunAsync("doctor", "--json", "--connect-timeout", "1", "--cluster", $"localhost:{port}")).Exited(1));
        Assert.Contains($"localhost:{port} accepts no connection", Assert.Single(findings, finding => finding.Check == "gateway").Message, StringComparison.Ordinal);
        Assert.Equal("fault", Assert.Single(findings, finding => finding.Check == "cluster").Status);
    }

    [Fact]
    public async Task Doctor_Certificates_ExpiredIsAFaultSoonIsAWarning()
    {
        using var certificates = new TestCertificates();
        Assert.Contains("it expired on", (await CertificateAsync(certificates.Expired(), "fault", 1)).Message, StringComparison.Ordinal);
        Assert.NotNull((await CertificateAsync(certificates.Silo(), "warning", 0)).Remedy);
        Assert.Null((await CertificateAsync(certificates.Issue("long", TimeSpan.FromDays(-1), TimeSpan.FromDays(100), "1.3.6.1.5.5.7.3.2"), "ok", 0)).Remedy);
        Assert.Contains("there is no file", (await CertificateAsync(certificates.Silo() with { KeyFile = "/none.key" }, "fault", 1)).Message, StringComparison.Ordinal);
        var other = certificates.Issue("other", TimeSpan.FromDays(-1), TimeSpan.FromDays(100));
        await CertificateAsync(certificates.Silo() with { KeyFile = other.KeyFile }, "fault", 1);
    }

    [Fact]
    public async Task Doctor_Blobs_AreWrittenReadAndDeleted()
    {
        using var azurite = await Azurite.StartAsync();
        Assert.Equal("ok", (await BlobsAsync(azurite.Setting("doctor"), 0)).Status);
        Assert.Contains("does not let this process", (await BlobsAsync(azurite.Setting("doctor", Convert.ToBase64String(new byte[64])), 1)).Message, StringComparison.Ordinal);
        Assert.Contains("must be an address", (await BlobsAsync("smoke", 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_PortTakenAndPortThatIsNone_AreNamed()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var findings = Findings((await CliProcess.RunAsync(["doctor", "--json"], new Dictionary<string, string?> { ["JOBLIB_SILO_PORT"] = port.ToString(), ["JOBLIB_GATEWAY_PORT"] = "gate" })).Exited(1));
        Assert.Equal(("warning", $"port {port} is taken by another process"), findings.Where(finding => finding.Check == "silo-port").Select(finding => (finding.Status, finding.Message)).Single());
        Assert.Equal("fault", Assert.Single(findings, finding => finding.Check == "gateway-port").Status);
    }

    private static async Task<Finding> CertificateAsync(JoblibTlsOptions tls, string status, int exitCode)
    {
        var environment = new Dictionary<string, string?> { ["JOBLIB_TLS_CERTIFICATE"] = tls.CertificateFile, ["JOBLIB_TLS_KEY"] = tls.KeyFile, ["JOBLIB_TLS_CA"] = tls.CaFile };
        var finding = Assert.Single(Findings((await CliProcess.RunAsync(["doctor", "--json"], environment)).Exited(exitCode)), finding => finding.Check == "certificate");
        Assert.True(finding.Status == status, finding.ToString());
        return finding;
    }

    private static async Task<Finding> BlobsAsync(string setting, int exitCode) =>
        Assert.Single(Findings((await CliProcess.RunAsync(["doctor", "--json"], new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = setting })).Exited(exitCode)), finding => finding.Check == "blobs");

    private static Finding[] Findings(CliAnswer answer)
    {
        var findings = answer.Json.GetProperty("findings").EnumerateArray().Select(Of).ToArray();
        Assert.Equal(findings.Count(finding => finding.Status == "fault"), answer.Json.GetProperty("faults").GetInt32());
        return findings;
    }

    private static Finding Of(JsonElement finding) => new(
        finding.GetProperty("check").GetString()!, finding.GetProperty("status").GetString()!, finding.GetProperty("message").GetString()!, finding.GetProperty("remedy").GetString());

    private sealed record Finding(string Check, string Status, string Message, string? Remedy);
}
