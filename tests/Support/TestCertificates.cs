using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orleans.Joblib.Tests;

/// <summary>A certificate authority for tests, its files in a folder that goes with it.</summary>
public sealed class TestCertificates : IDisposable
{
    private const string Server = "1.3.6.1.5.5.7.3.1";
    private const string Client = "1.3.6.1.5.5.7.3.2";

    private readonly string _folder = Directory.CreateTempSubdirectory("joblib-tests-tls-").FullName;
    private readonly X509Certificate2 _ca;

    public TestCertificates(string name = "Orleans.Joblib test CA")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        _ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(200));
        File.WriteAllText(CaFile, _ca.ExportCertificatePem());
    }

    public string CaFile => Path.Combine(_folder, "ca.pem");

    /// <summary>A certificate for silos.</summary>
    public JoblibTlsOptions Silo() => Issue("silo", TimeSpan.FromDays(-1), TimeSpan.FromDays(1), Server, Client);

    /// <summary>A certificate for clients only.</summary>
    public JoblibTlsOptions ForClient() => Issue("client", TimeSpan.FromDays(-1), TimeSpan.FromDays(1), Client);

    public JoblibTlsOptions Expired() => Issue("expired", TimeSpan.FromDays(-2), TimeSpan.FromDays(-1), Server, Client);

    /// <summary>Writes a certificate and its key, replacing one of the same name.</summary>
    public JoblibTlsOptions Issue(string name, TimeSpan from, TimeSpan to, params string[] purposes)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. purposes.Select(purpose => new Oid(purpose))], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var serial = RandomNumberGenerator.GetBytes(8);
        using var certificate = request.Create(_ca, DateTimeOffset.UtcNow + from, DateTimeOffset.UtcNow + to, serial);
        var options = new JoblibTlsOptions { CertificateFile = Path.Combine(_folder, name + ".pem"), KeyFile = Path.Combine(_folder, name + ".key"), CaFile = CaFile };
        File.WriteAllText(options.CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(options.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return options;
    }

    /// <summary>A silo's command line for these options.</summary>
    public static string[] Arguments(JoblibTlsOptions options) => ["--tls-certificate", options.CertificateFile!, "--tls-key", options.KeyFile!, "--tls-ca", options.CaFile!];

    public void Dispose()
    {
        _ca.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
