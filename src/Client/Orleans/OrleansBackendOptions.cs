namespace Orleans.Joblib;

/// <summary>Settings of the backend <c>"orleans"</c>, given as <c>backendOptions</c>.</summary>
public sealed record OrleansBackendOptions : BackendOptions
{
    /// <summary>The default of <see cref="Lease"/>: 30 s.</summary>
    public static readonly TimeSpan DefaultLease = TimeSpan.FromSeconds(30);

    /// <summary>The default of <see cref="ConnectTimeout"/>: 10 s.</summary>
    public static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long the cluster keeps a run whose client has gone silent; renewed three times within it. 1 s to 1 h. Default: 30 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public TimeSpan Lease
    {
        get;
        init => field = value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromHours(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"Lease must not be '{value}'. Use 1 second to 1 hour.");
    } = DefaultLease;

    /// <summary>
    /// Whether calls and results that stay in this process, on the silos of a <c>LocalCluster</c> say, are refused where they could not travel to another process. They pass by reference all the
    /// same; it costs what encoding them costs. For tests. Default: false.
    /// </summary>
    public bool VerifyTravel { get; init; }

    /// <summary>
    /// The blob storage that large arrays go through to silos, and large results from them, which share no memory with this host: an address,
    /// <c>https://ACCOUNT.blob.core.windows.net[/CONTAINER]</c>, for this host's identity (DefaultAzureCredential), or a connection string, with <c>Container=NAME</c> in it for another container than
    /// <c>joblib-arrays</c>. Silos need the same. Default: null, which is the variable <c>JOBLIB_BLOBS</c>; without that arrays go through the silos themselves, in chunks.
    /// </summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public string? Blobs
    {
        get;
        init
        {
            if (value is not null)
            {
                BlobStorage.Parse(value);
            }

            field = value;
        }
    }

    /// <summary>How long to wait for the cluster when a run opens. 0.1 s to 10 min. Default: 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        init => field = value >= TimeSpan.FromSeconds(0.1) && value <= TimeSpan.FromMinutes(10)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"ConnectTimeout must not be '{value}'. Use 0.1 seconds to 10 minutes.");
    } = DefaultConnectTimeout;
}
