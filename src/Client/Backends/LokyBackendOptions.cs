namespace Orleans.Joblib;

/// <summary>Settings of the backend <c>"loky"</c>, given as <c>backendOptions</c>.</summary>
public sealed record LokyBackendOptions : ProcessBackendOptions
{
    /// <summary>The default of <see cref="IdleWorkerTimeout"/>: 300 s.</summary>
    public static readonly TimeSpan DefaultIdleWorkerTimeout = PoolSettings.DefaultIdleTimeout;

    /// <summary>How long a worker that has nothing to do is kept; the latest loop decides for all. 1 s to 30 days. Default: 300 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    /// <remarks>joblib: <c>idle_worker_timeout</c>.</remarks>
    public TimeSpan IdleWorkerTimeout
    {
        get;
        init => field = value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(30)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"IdleWorkerTimeout must not be '{value}'. Use 1 second to 30 days.");
    } = DefaultIdleWorkerTimeout;
}
