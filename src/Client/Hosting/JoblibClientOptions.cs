namespace Orleans.Joblib;

/// <summary>How a host's cluster client serves the backend <c>"orleans"</c>. Validated once at start.</summary>
public sealed class JoblibClientOptions
{
    /// <summary>Whether loops that name no backend run on the cluster. Default: false.</summary>
    public bool MakeDefault { get; set; }

    /// <summary>How long the cluster keeps a run whose client has gone silent. 1 s to 1 h. Default: 30 s.</summary>
    public TimeSpan Lease { get; set; } = OrleansBackendOptions.DefaultLease;

    /// <summary>Whether what stays in this process is refused where it could not travel to another: <see cref="OrleansBackendOptions.VerifyTravel"/>. Default: false.</summary>
    public bool VerifyTravel { get; set; }

    /// <summary>How long to wait for the cluster when a run opens. 0.1 s to 10 min. Default: 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = OrleansBackendOptions.DefaultConnectTimeout;
}
