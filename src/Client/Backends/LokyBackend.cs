namespace Orleans.Joblib;

/// <summary>Backend <c>"loky"</c>: calls run in worker processes of this host, which all loops of this program share and which outlive them.</summary>
/// <remarks>
/// Workers start when a loop needs them, as many as nJobs, and end when they have had nothing to do for 300 s. A loop with another initializer, or other limits of threads or
/// memory, gets new workers in place of the old. Options: <see cref="LokyBackendOptions"/>. joblib 1.6: <c>LokyBackend</c>.
/// </remarks>
public sealed class LokyBackend : ProcessBackend
{
    /// <inheritdoc/>
    public override string Name => BackendRegistry.Loky;

    private protected override PoolLease Open(BackendSettings settings, int nJobs, PayloadCodec codec)
    {
        var options = settings.Options switch
        {
            null => null,
            LokyBackendOptions given => given,
            var other => throw new ArgumentException($"The backend 'loky' does not know '{other.GetType().Name}'. Pass LokyBackendOptions as backendOptions."),
        };
        return ReusablePool.Lease(NewSettings(settings, nJobs, codec, options), nJobs, options?.IdleWorkerTimeout ?? LokyBackendOptions.DefaultIdleWorkerTimeout);
    }

    private protected override void Close(PoolLease lease) => lease.Dispose();
}
