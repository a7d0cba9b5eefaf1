namespace Orleans.Joblib;

/// <summary>This process's certificate and whom it trusts. Clients and silos of a cluster show each other a certificate; without one that the other side's CA file vouches for, nothing passes.</summary>
/// <remarks>
/// The CA file is the cluster's membership list: whoever holds a certificate of it may run code there, so it must be the cluster's own and no public one. A silo's certificate
/// needs the purposes server and client authentication (or names none), a client's only client authentication: with that it cannot pose as a silo. Names in certificates are not compared with
/// host names. Files are read again when they change. TLS 1.2 and 1.3.
/// </remarks>
public sealed record JoblibTlsOptions
{
    private const string CheckRevocationKey = "tls-check-revocation";

    /// <summary>The certificate: PEM (with its intermediates after it) or PKCS #12 (<c>.pfx</c>, <c>.p12</c>). Default: null, for <see cref="Thumbprint"/>.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The private key of a PEM certificate. Default: null, the certificate's own file holds it.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The password of the key or the PKCS #12 file. Default: null, none.</summary>
    public string? Password { get; init; }

    /// <summary>The SHA-1 thumbprint of a certificate in the personal store of the user or the machine, instead of <see cref="CertificateFile"/>. Default: null.</summary>
    public string? Thumbprint { get; init; }

    /// <summary>The root certificates that vouch for the other side, PEM, all that are in use. Required.</summary>
    public string? CaFile { get; init; }

    /// <summary>Whether revocation lists are asked, over the network. Default: false.</summary>
    public bool CheckRevocation { get; init; }

    /// <summary>What was given for <see cref="CheckRevocation"/> and is no word for true or false.</summary>
    internal string? UnreadCheckRevocation { get; private init; }

    /// <summary>What the environment says: <c>JOBLIB_TLS_CERTIFICATE</c>, <c>_KEY</c>, <c>_PASSWORD</c>, <c>_THUMBPRINT</c>, <c>_CA</c>, <c>_CHECK_REVOCATION</c>.</summary>
    /// <returns>Null when neither certificate, thumbprint nor CA is set.</returns>
    public static JoblibTlsOptions? FromEnvironment() => From(static key => Environment.GetEnvironmentVariable("JOBLIB_" + key.Replace('-', '_').ToUpperInvariant()));

    /// <summary>Options from a table with the keys <c>tls-certificate</c>, <c>tls-key</c> and so on; null when it names nothing.</summary>
    internal static JoblibTlsOptions? From(Func<string, string?> get)
    {
        var options = new JoblibTlsOptions
        {
            CertificateFile = Value("tls-certificate"),
            KeyFile = Value("tls-key"),
            Password = Value("tls-password"),
            Thumbprint = Value("tls-thumbprint"),
            CaFile = Value("tls-ca"),
            CheckRevocation = bool.TryParse(Value(CheckRevocationKey), out var check) && check,
            UnreadCheckRevocation = Value(CheckRevocationKey) is { } text && !bool.TryParse(text, out _) ? text : null,
        };
        return options is { CertificateFile: null, Thumbprint: null, CaFile: null } ? null : options;

        string? Value(string key) => get(key) is { Length: > 0 } value ? value : null;
    }

    /// <summary>What is wrong with these options, each fault with its remedy; loading the files may find more.</summary>
    internal IEnumerable<string> Faults()
    {
        if (CertificateFile is null == Thumbprint is null)
        {
            yield return CertificateFile is null
                ? "TLS needs a certificate. Set 'tls-certificate' (a PEM or PFX file) or 'tls-thumbprint' (of the certificate store)."
                : "TLS takes one certificate. Set either 'tls-certificate' or 'tls-thumbprint'.";
        }

        if (CaFile is null)
        {
            yield return "TLS needs to know whom to trust. Set 'tls-ca' to the PEM file of the cluster's own CA.";
        }

        if (UnreadCheckRevocation is { } unread)
        {
            yield return $"{CheckRevocationKey} must not be '{unread}'. Use 'true' or 'false'.";
        }

        foreach (var (name, file) in new[] { ("tls-certificate", CertificateFile), ("tls-key", KeyFile), ("tls-ca", CaFile) })
        {
            if (file is not null && !File.Exists(file))
            {
                yield return $"{name}: there is no file '{file}'. Give the path of one that this user can read.";
            }
        }
    }
}
