using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orleans.Joblib;

/// <summary>The loaded certificate and trust of this process; loaded again when a file has changed. Thread-safe.</summary>
internal sealed class TlsCredentials
{
    private const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    // Who may do what is in the certificate's purposes.
    private static readonly Oid ServerPurpose = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientPurpose = new("1.3.6.1.5.5.7.3.2");

    private readonly Lock _gate = new();
    private readonly JoblibTlsOptions _options;
    private readonly TimeProvider _time;
    private Loaded _loaded;

    private TlsCredentials(JoblibTlsOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _loaded = Load();
    }

    /// <summary>Loads and checks the files: certificate and key belong together, the certificate is valid now and this process's own CA file vouches for it.</summary>
    /// <exception cref="JoblibException">A file cannot be used; the message names every fault.</exception>
    internal static TlsCredentials Load(JoblibTlsOptions options, TimeProvider? time = null)
    {
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
        {
            throw Unusable(string.Join(" ", faults), null);
        }

        var credentials = new TlsCredentials(options, time ?? TimeProvider.System);
        return credentials.OwnFault() is { } fault ? throw Unusable(fault, null) : credentials;
    }

    /// <summary>How messages name this process's certificate.</summary>
    internal X509Certificate2 Certificate => Current().Certificate;

    internal string Name => Describe(Current().Certificate);

    /// <summary>What the other side would hold against this process's certificate, as far as it can be known here: it is out of date, or its own CA file does not vouch for it.</summary>
    internal string? OwnFault()
    {
        var loaded = Current();
        return Fault(loaded, loaded.Certificate, loaded.Intermediates, purpose: null) is { } fault
            ? $"This process's own certificate {Describe(loaded.Certificate)} would be refused by every silo: {fault}. Use a current certificate, issued by a CA in '{_options.CaFile}'."
            : null;
    }

    /// <summary>For browsers: people show no certificate.</summary>
    internal SslServerAuthenticationOptions ForVisitors() => new()
    {
        ServerCertificateContext = Current().Context,
        AllowRenegotiation = false,
        EnabledSslProtocols = Protocols,
    };

    internal SslServerAuthenticationOptions ForServer(Action<string> refused)
    {
        var loaded = Current();
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = loaded.Context,
            ClientCertificateRequired = true,
            AllowRenegotiation = false,

            // A resumed session would skip the look at the certificate.
            AllowTlsResume = false,
            EnabledSslProtocols = Protocols,
            CertificateChainPolicy = Policy(loaded, extra: null, purpose: null),
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsTrusted(certificate, chain, ClientPurpose, refused),
        };
    }

    internal SslClientAuthenticationOptions ForClient(Action<string> refused)
    {
        var loaded = Current();
        return new SslClientAuthenticationOptions
        {
            // Not compared with the certificate: silos are found by address, and the CA is the cluster's own.
            TargetHost = "",
            ClientCertificateContext = loaded.Context,
            AllowRenegotiation = false,
            AllowTlsResume = false,
            EnabledSslProtocols = Protocols,
            CertificateChainPolicy = Policy(loaded, extra: null, purpose: null),
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsTrusted(certificate, chain, ServerPurpose, refused),
        };
    }

    private static string Describe(X509Certificate2 certificate) =>
        $"'{certificate.Subject}' (issued by '{certificate.Issuer}', valid {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC)";

    private static JoblibException Unusable(string what, Exception? cause) => new("tls-certificate", what, cause);

    private bool IsTrusted(X509Certificate? shown, X509Chain? chain, Oid purpose, Action<string> refused)
    {
        if (shown is null)
        {
            refused("the other side showed no certificate");
            return false;
        }

        using var copy = shown is X509Certificate2 ? null : X509CertificateLoader.LoadCertificate(shown.Export(X509ContentType.Cert));
        var certificate = shown as X509Certificate2 ?? copy!;
        if (Fault(Current(), certificate, chain?.ChainPolicy.ExtraStore, purpose) is not { } fault)
        {
            return true;
        }

        refused($"the other side's certificate {Describe(certificate)} is refused: {fault}");
        return false;
    }

    private string? Fault(Loaded loaded, X509Certificate2 certificate, X509Certificate2Collection? extra, Oid? purpose)
    {
        var now = _time.GetUtcNow();
        if (now > certificate.NotAfter.ToUniversalTime())
        {
            return $"it expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC";
        }

        if (now < certificate.NotBefore.ToUniversalTime())
        {
            return $"it is not valid before {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC";
        }

        using var chain = new X509Chain { ChainPolicy = Policy(loaded, extra, purpose) };
        if (chain.Build(certificate))
        {
            return null;
        }

        var status = chain.ChainStatus.Select(s => s.Status).Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one);
        return status switch
        {
            _ when (status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != 0 => $"no CA in '{_options.CaFile}' issued it",
            _ when (status & X509ChainStatusFlags.NotValidForUsage) != 0 => "its purposes do not include the one it is used for (extended key usage)",
            _ when (status & X509ChainStatusFlags.Revoked) != 0 => "it is revoked",
            _ => string.Join(", ", chain.ChainStatus.Select(s => s.StatusInformation)),
        };
    }

    private X509ChainPolicy Policy(Loaded loaded, X509Certificate2Collection? extra, Oid? purpose)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = _options.CheckRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck,
            DisableCertificateDownloads = !_options.CheckRevocation,
            VerificationTime = _time.GetUtcNow().UtcDateTime,
        };
        policy.CustomTrustStore.AddRange(loaded.Roots);
        if (extra is not null)
        {
            policy.ExtraStore.AddRange(extra);
        }

        if (purpose is not null)
        {
            policy.ApplicationPolicy.Add(purpose);
        }

        return policy;
    }

    private Loaded Current()
    {
        lock (_gate)
        {
            if (_loaded.Stamp != Stamp())
            {
                try
                {
                    _loaded = Load();
                }
                catch (JoblibException)
                {
                    // Files are being replaced, certificate and key one after the other: what was valid serves until they fit again.
                }
            }

            return _loaded;
        }
    }

    private Stamps Stamp() => new(FileStamp.Of(_options.CertificateFile), FileStamp.Of(_options.KeyFile), FileStamp.Of(_options.CaFile));

    private Loaded Load()
    {
        var stamp = Stamp();
        try
        {
            var intermediates = new X509Certificate2Collection();
            var certificate = _options.Thumbprint is { } thumbprint ? FromStore(thumbprint) : FromFile(intermediates);
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(_options.CaFile!);
            return roots.Count == 0
                ? throw new CryptographicException($"'{_options.CaFile}' holds no certificate in PEM form.")
                : new Loaded(stamp, certificate, intermediates, roots, SslStreamCertificateContext.Create(certificate, intermediates, offline: true));
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Unusable(
                $"The TLS files '{_options.CertificateFile ?? _options.Thumbprint}', '{_options.KeyFile ?? "(key in the same file)"}', '{_options.CaFile}' cannot be used: {exception.Message} "
                    + "Check that they are readable, that the key belongs to the certificate, and the password.",
                exception);
        }
    }

    private X509Certificate2 FromFile(X509Certificate2Collection intermediates)
    {
        var file = _options.CertificateFile!;
        if (Path.GetExtension(file).ToUpperInvariant() is ".PFX" or ".P12")
        {
            var all = X509CertificateLoader.LoadPkcs12CollectionFromFile(file, _options.Password);
            var own = all.FirstOrDefault(certificate => certificate.HasPrivateKey) ?? throw new CryptographicException($"'{file}' holds no certificate with its private key.");
            intermediates.AddRange(all.Where(certificate => !ReferenceEquals(certificate, own)).ToArray());
            return own;
        }

        var key = _options.KeyFile ?? file;
        intermediates.ImportFromPemFile(file);
        if (intermediates.Count > 0)
        {
            intermediates.RemoveAt(0);
        }

        var loaded = _options.Password is { } password ? X509Certificate2.CreateFromEncryptedPemFile(file, password, key) : X509Certificate2.CreateFromPemFile(file, key);
        if (!OperatingSystem.IsWindows())
        {
            return loaded;
        }

        // Windows' TLS takes no key that lives only in memory as PEM gives it.
        using (loaded)
        {
            return X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
        }
    }

    private static X509Certificate2 FromStore(string thumbprint)
    {
        foreach (var location in new[] { StoreLocation.CurrentUser, StoreLocation.LocalMachine })
        {
            try
            {
                using var store = new X509Store(StoreName.My, location, OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
                if (store.Certificates.Find(X509FindType.FindByThumbprint, thumbprint, validOnly: false).FirstOrDefault(certificate => certificate.HasPrivateKey) is { } found)
                {
                    return found;
                }
            }
            catch (CryptographicException)
            {
                // There is no such store on this machine.
            }
        }

        throw new CryptographicException($"The personal certificate stores of user and machine hold no certificate '{thumbprint}' with its private key.");
    }

    private readonly record struct Stamps(FileStamp Certificate, FileStamp Key, FileStamp Ca);

    private sealed record Loaded(
        Stamps Stamp, X509Certificate2 Certificate, X509Certificate2Collection Intermediates, X509Certificate2Collection Roots, SslStreamCertificateContext Context);
}
