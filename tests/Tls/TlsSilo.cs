using Xunit;

namespace Orleans.Joblib.Tests.Tls;

/// <summary>A silo process that demands certificates, and the authority that issues them.</summary>
public sealed class TlsSilo : IAsyncLifetime
{
    public TestCertificates Certificates { get; } = new();

    public SiloProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var port = FreePorts.Next().ToString();
        Process = await SiloProcess.StartAsync(["--silo-port", port, "--primary-port", port, "--slots", "2", .. TestCertificates.Arguments(Certificates.Silo())]);
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        Certificates.Dispose();
    }
}
