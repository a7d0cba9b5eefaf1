using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Orleans.Hosting;
using Xunit;

namespace Orleans.Joblib.Tests.Tls;

/// <summary>Who gets into a cluster that demands certificates, and what the others are told. The silo is a real process.</summary>
public sealed class TlsTests(TlsSilo silo) : IClassFixture<TlsSilo>
{
    [Fact]
    public async Task Client_CertificateOfTheCa_GetsIn()
    {
        await using var cluster = await ConnectAsync(silo.Certificates.ForClient());
        Assert.Equal(2, (await cluster.Client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo.Process.Address)).GetStatusAsync()).Size);
    }

    [Fact]
    public async Task Client_ParametersInTheClusterString_GetsIn()
    {
        var tls = silo.Certificates.ForClient();
        await using var cluster = await JoblibCluster.ConnectAsync(
            $"localhost:{silo.Process.Gateway.Port}?tls-certificate={tls.CertificateFile}&tls-key={tls.KeyFile}&tls-ca={tls.CaFile}");
        Assert.Equal(2, new OrleansBackend(cluster.Client).EffectiveNJobs(-1));
    }

    [Fact]
    public async Task Client_NoTls_IsRefused() => await FailsAsync(null, "cluster-not-reached", "whether it demands TLS");

    [Fact]
    public async Task Client_ExpiredCertificate_IsToldBeforeItConnects() => await FailsAsync(silo.Certificates.Expired(), "tls-certificate", "it expired on");

    [Fact]
    public async Task Client_OfAnotherCa_RefusesTheSilo()
    {
        using var other = new TestCertificates("Another CA");
        await FailsAsync(other.ForClient(), "tls-refused", "no CA in");
    }

    [Fact]
    public async Task Client_OfAnotherCaThatTrustsTheSilos_IsRefusedByTheSilo()
    {
        using var other = new TestCertificates("Another CA");
        var both = Path.Combine(Path.GetDirectoryName(other.CaFile)!, "both.pem");
        await File.WriteAllTextAsync(both, await File.ReadAllTextAsync(other.CaFile) + "\n" + await File.ReadAllTextAsync(silo.Certificates.CaFile));
        await FailsAsync(other.ForClient() with { CaFile = both }, "tls-refused", "the silo refused this process's certificate 'CN=client' (issued by 'CN=Another CA'");
    }

    [Fact]
    public async Task Client_NoCaNamed_IsTold() => await FailsAsync(silo.Certificates.ForClient() with { CaFile = null }, "tls-certificate", "Set 'tls-ca'");

    [Fact]
    public async Task Client_KeyOfAnotherCertificate_IsTold() =>
        await FailsAsync(silo.Certificates.ForClient() with { KeyFile = silo.Certificates.Silo().KeyFile }, "tls-certificate", "cannot be used");

    [Theory]
    [InlineData("none")]
    [InlineData("expired")]
    [InlineData("other")]
    public async Task Handshake_BadCertificateOfAClientThatChecksNothing_NothingPasses(string kind)
    {
        using var other = new TestCertificates("Another CA");
        var tls = kind switch { "none" => null, "expired" => silo.Certificates.Expired(), _ => other.ForClient() };
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(silo.Process.Gateway);
        await using var ssl = new SslStream(tcp.GetStream());
        using var certificate = tls is null ? null : X509Certificate2.CreateFromPemFile(tls.CertificateFile!, tls.KeyFile);
        using var timeout = new CancellationTokenSource(Patience.Limit);
        var received = -1;
        try
        {
            await ssl.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "",
                    ClientCertificates = certificate is null ? null : [certificate],
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                },
                timeout.Token);
            received = await ssl.ReadAsync(new byte[1], timeout.Token);
        }
        catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
        {
            received = 0;
        }

        Assert.Equal(0, received);
    }

    [Fact]
    public async Task Client_TlsToASiloWithout_IsTold()
    {
        var port = FreePorts.Next().ToString();
        await using var plain = await SiloProcess.StartAsync("--silo-port", port, "--primary-port", port);
        var exception = await Assert.ThrowsAsync<JoblibException>(
            () => JoblibCluster.ConnectAsync($"localhost:{plain.Gateway.Port}", new JoblibClusterOptions { Tls = silo.Certificates.ForClient() }).WaitAsync(Patience.Limit));
        Assert.Equal("docs/errors.md#tls-refused", exception.HelpLink);
        Assert.Contains("check that the silo uses TLS too", exception.Message);
    }

    [Fact]
    public async Task Silo_CertificateForClientsOnly_IsRefusedByClients()
    {
        var port = FreePorts.Next().ToString();
        await using var posing = await SiloProcess.StartAsync(["--silo-port", port, "--primary-port", port, .. TestCertificates.Arguments(silo.Certificates.ForClient())]);
        var exception = await Assert.ThrowsAsync<JoblibException>(
            () => JoblibCluster.ConnectAsync($"localhost:{posing.Gateway.Port}", new JoblibClusterOptions { Tls = silo.Certificates.ForClient() }).WaitAsync(Patience.Limit));
        Assert.Contains("its purposes do not include", exception.Message);
    }

    [Fact]
    public async Task Silos_OverTls_WorkTogether()
    {
        await using var cluster = await SiloCluster.StartAsync(2, slots: 2, TestCertificates.Arguments(silo.Certificates.Silo()));
        await using var client = await cluster.ConnectAsync(new JoblibClusterOptions { Tls = silo.Certificates.ForClient() });
        Assert.Equal(4, new OrleansBackend(client.Client).EffectiveNJobs(-1));
    }

    [Fact]
    public async Task LoopbackRule_SiloOfALibraryUserOffLoopback_DoesNotStart()
    {
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => LocalCluster.StartAsync(
            configureSilo: orleans => orleans.Configure<Orleans.Configuration.EndpointOptions>(endpoints => endpoints.SiloListeningEndpoint = new(System.Net.IPAddress.Any, endpoints.SiloPort))));
        Assert.Contains("must not listen on '0.0.0.0' without TLS", exception.Message);
    }

    [Fact]
    public void Credentials_FilesReplaced_AreReadAgain()
    {
        using var certificates = new TestCertificates();
        var options = certificates.Issue("turning", TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
        var credentials = TlsCredentials.Load(options);
        var before = credentials.Name;
        certificates.Issue("turning", TimeSpan.FromDays(-1), TimeSpan.FromDays(3));
        File.SetLastWriteTimeUtc(options.CertificateFile!, DateTime.UtcNow.AddSeconds(5));
        Assert.NotEqual(before, credentials.Name);
    }

    [Fact]
    public void Credentials_VolumeOfKubernetesChangesItsLink_AreReadAgain()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        using var certificates = new TestCertificates();
        var files = certificates.Issue("turning", TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
        var volume = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(files.CertificateFile)!, "volume")).FullName;
        var options = new JoblibTlsOptions { CertificateFile = Path.Combine(volume, "silo.pem"), CaFile = Path.Combine(volume, "ca.pem") };
        Fill("..1");
        Directory.CreateSymbolicLink(Path.Combine(volume, "..data"), "..1");
        foreach (var file in new[] { options.CertificateFile, options.CaFile })
        {
            File.CreateSymbolicLink(file, Path.Combine("..data", Path.GetFileName(file)));
        }

        var credentials = TlsCredentials.Load(options);
        var before = credentials.Certificate.Thumbprint;
        files = certificates.Issue("turning", TimeSpan.FromDays(-1), TimeSpan.FromDays(3));
        Fill("..2");
        Directory.CreateSymbolicLink(Path.Combine(volume, "..new"), "..2");
        Assert.Equal(before, credentials.Certificate.Thumbprint);
        Directory.Delete(Path.Combine(volume, "..data"));
        Directory.Move(Path.Combine(volume, "..new"), Path.Combine(volume, "..data"));
        Assert.NotEqual(before, credentials.Certificate.Thumbprint);

        void Fill(string version)
        {
            var folder = Directory.CreateDirectory(Path.Combine(volume, version)).FullName;
            File.WriteAllText(Path.Combine(folder, "silo.pem"), File.ReadAllText(files.CertificateFile!) + "\n" + File.ReadAllText(files.KeyFile!));
            File.Copy(files.CaFile!, Path.Combine(folder, "ca.pem"));
        }
    }

    [Theory]
    [InlineData("TRUE", true)]
    [InlineData("true", true)]
    [InlineData("False", false)]
    public void Options_RevocationAsked_AnySpelling(string text, bool asked)
    {
        var options = JoblibTlsOptions.From(key => key switch { "tls-check-revocation" => text, "tls-ca" => "ca.pem", _ => null })!;
        Assert.Equal(asked, options.CheckRevocation);
        Assert.DoesNotContain(options.Faults(), fault => fault.Contains("revocation"));
    }

    [Fact]
    public void Credentials_FilesHalfReplaced_KeepWhatWas()
    {
        using var certificates = new TestCertificates();
        var options = certificates.Issue("turning", TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
        var credentials = TlsCredentials.Load(options);
        var before = credentials.Name;
        File.WriteAllText(options.CertificateFile!, "half a certifi");
        File.SetLastWriteTimeUtc(options.CertificateFile!, DateTime.UtcNow.AddSeconds(5));
        Assert.Equal(before, credentials.Name);
    }

    [Fact]
    public void Credentials_Pfx_IsRead()
    {
        using var certificates = new TestCertificates();
        var pem = certificates.Silo();
        using var certificate = X509Certificate2.CreateFromPemFile(pem.CertificateFile!, pem.KeyFile);
        var file = Path.ChangeExtension(pem.CertificateFile!, ".pfx");
        File.WriteAllBytes(file, certificate.Export(X509ContentType.Pkcs12, "word"));
        Assert.Contains("CN=silo", TlsCredentials.Load(new JoblibTlsOptions { CertificateFile = file, Password = "word", CaFile = pem.CaFile }).Name);
        Assert.Throws<JoblibException>(() => TlsCredentials.Load(new JoblibTlsOptions { CertificateFile = file, Password = "wrong", CaFile = pem.CaFile }));
    }

    private Task<JoblibCluster> ConnectAsync(JoblibTlsOptions? tls) =>
        JoblibCluster.ConnectAsync($"localhost:{silo.Process.Gateway.Port}", new JoblibClusterOptions { Tls = tls, ConnectTimeout = TimeSpan.FromSeconds(tls is null ? 2 : 10) });

    private async Task FailsAsync(JoblibTlsOptions? tls, string heading, string says)
    {
        var exception = await Assert.ThrowsAsync<JoblibException>(() => ConnectAsync(tls).WaitAsync(Patience.Limit));
        Assert.True(exception.Message.Contains(says), exception.ToString());
        Assert.Equal("docs/errors.md#" + heading, exception.HelpLink);
    }
}
