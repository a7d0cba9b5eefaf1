using System.Net;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>What the silo program runs with, checked.</summary>
internal sealed record SiloHostOptions
{
    internal const int DefaultSiloPort = 11111;
    internal const int DefaultGatewayPort = 30000;
    internal const int DefaultHealthPort = 8080;
    internal static readonly TimeSpan DefaultDrainTimeout = TimeSpan.FromSeconds(30);

    internal required ClusterAddress Cluster { get; init; }

    internal string? ArrayFolder { get; init; }

    internal long? ArrayStoreSize { get; init; }

    internal string? Blobs { get; init; }

    internal int PrimaryPort { get; init; } = DefaultSiloPort;

    internal int SiloPort { get; init; } = DefaultSiloPort;

    internal int GatewayPort { get; init; } = DefaultGatewayPort;

    internal IPAddress ListenAddress { get; init; } = IPAddress.Loopback;

    internal IPAddress AdvertisedAddress { get; init; } = IPAddress.Loopback;

    internal int? Slots { get; init; }

    internal double SlotsPerCore { get; init; } = SiloWorkerOptions.DefaultSlotsPerCore;

    internal WorkerKind Workers { get; init; }

    internal TimeSpan IdleWorkerTimeout { get; init; } = SiloWorkerOptions.DefaultIdleWorkerTimeout;

    internal int HealthPort { get; init; } = DefaultHealthPort;

    internal IPAddress HealthAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Where the dashboard is served; null for nowhere.</summary>
    internal DashboardOptions? Dashboard { get; init; }

    internal JoblibTlsOptions? Tls { get; init; }

    /// <summary>The interpreter for calls of Python programs; null for none.</summary>
    internal string? Python { get; init; }

    /// <summary>Where programs that are not .NET connect; null for nowhere.</summary>
    internal GatewayOptions? Grpc { get; init; }

    internal string? CodeCache { get; init; }

    internal long CodeCacheSize { get; init; } = CodeCacheOptions.DefaultMaxBytes;

    internal TimeSpan CodeIdleTime { get; init; } = CodeCacheOptions.DefaultIdleTime;

    internal Uri? OtlpEndpoint { get; init; }

    internal OtlpProtocol OtlpProtocol { get; init; }

    internal IReadOnlyList<string> OtlpSources { get; init; } = [];

    internal bool Prometheus { get; init; }

    internal LogLevel LogLevel { get; init; } = LogLevel.Information;

    internal TimeSpan DrainTimeout { get; init; } = DefaultDrainTimeout;

    internal int? ExitWithParent { get; init; }

    /// <summary>Whether the line that says it is ready is JSON.</summary>
    internal bool Json { get; init; }

    /// <summary>Loads the TLS files once, to find out now whether they can be used.</summary>
    internal void LoadTls()
    {
        if (Tls is not null)
        {
            TlsCredentials.Load(Tls);
        }
    }
}
