using System.Net;

namespace Orleans.Joblib;

/// <summary>Where the gateway for programs that are not .NET is served.</summary>
public sealed record GatewayOptions
{
    /// <summary>The port of a gateway that names none.</summary>
    public const int DefaultPort = 8071;

    /// <summary>The address to listen on. Default: loopback. Any other needs <see cref="Tls"/>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 = a free one. Default: 8071.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>This side's certificate, and whom it trusts: both sides show one. Default: null, no TLS.</summary>
    public JoblibTlsOptions? Tls { get; init; }

    /// <summary>The blob storage that large arrays go through to silos which share no memory with this host: an address or connection string. Default: null, none.</summary>
    public string? Blobs { get; init; }

    /// <exception cref="ArgumentException">A value is not possible.</exception>
    internal void Check()
    {
        if (Port is < 0 or > 65535)
        {
            throw new ArgumentException($"Port must not be '{Port}'. Use '1' to '65535', or '0' for a free port.");
        }

        if (!IPAddress.IsLoopback(Address) && Tls is null)
        {
            throw new ArgumentException($"Address must not be '{Address}' without TLS: whoever reaches the gateway may run code on the cluster. Set Tls, or use 127.0.0.1.");
        }
    }
}
