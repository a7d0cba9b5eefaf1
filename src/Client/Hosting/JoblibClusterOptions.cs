using Orleans.Hosting;

namespace Orleans.Joblib;

/// <summary>How <see cref="JoblibCluster.ConnectAsync"/> connects.</summary>
public sealed record JoblibClusterOptions
{
    /// <summary>How long to try, in all. 0.1 s to 10 min. Default: 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        init => field = value >= TimeSpan.FromSeconds(0.1) && value <= TimeSpan.FromMinutes(10)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"ConnectTimeout must not be '{value}'. Use 0.1 seconds to 10 minutes.");
    } = OrleansBackendOptions.DefaultConnectTimeout;

    /// <summary>This client's certificate and whom it trusts. Default: null, what the cluster string's <c>tls-…</c> parameters say, else the environment's <c>JOBLIB_TLS_…</c>, else no TLS.</summary>
    public JoblibTlsOptions? Tls { get; init; }

    /// <summary>Anything else about the Orleans client. Default: null.</summary>
    public Action<IClientBuilder>? ConfigureClient { get; init; }
}
