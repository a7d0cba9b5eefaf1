using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Orleans.Joblib;

/// <summary>Where the dashboard is served, and to whom.</summary>
public sealed record DashboardOptions
{
    /// <summary>The port of a dashboard that names none.</summary>
    public const int DefaultPort = 8787;

    /// <summary>The fewest characters of a token.</summary>
    public const int LeastTokenLength = 16;

    /// <summary>The address to listen on. Default: loopback. Any other needs <see cref="Token"/> and <see cref="Certificate"/>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 = a free one. Default: 8787.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>What a visitor has to know, 16 characters or more; null lets everybody in who reaches the address. Default: null.</summary>
    public string? Token { get; init; }

    /// <summary>The certificate of HTTPS; null for HTTP. Default: null.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>A silo's certificate instead, with its intermediates and read again when its files change.</summary>
    internal TlsCredentials? Credentials { get; init; }

    /// <summary>The cluster's name, for the page's head. Default: none.</summary>
    public string? ClusterName { get; init; }

    /// <summary>How long until the page shows what has happened, 100 ms to 1 minute. Default: 400 ms.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <exception cref="ArgumentException">A value is not possible.</exception>
    internal void Check()
    {
        if (Port is < 0 or > 65535)
        {
            throw new ArgumentException($"Port must not be '{Port}'. Use '1' to '65535', or '0' for a free port.");
        }

        if (Token is { Length: < LeastTokenLength })
        {
            throw new ArgumentException($"Token must not be shorter than {LeastTokenLength} characters: whoever guesses it may cancel runs.");
        }

        if (!IPAddress.IsLoopback(Address) && (Token is null || (Certificate is null && Credentials is null)))
        {
            throw new ArgumentException($"Address must not be '{Address}' without a Token and a Certificate: the dashboard shows arguments of calls, and cancels runs. Use them, or 127.0.0.1.");
        }

        if (Period < TimeSpan.FromMilliseconds(100) || Period > TimeSpan.FromMinutes(1))
        {
            throw new ArgumentException($"Period must not be '{Period}'. Use 100 ms to 1 minute.");
        }
    }
}
