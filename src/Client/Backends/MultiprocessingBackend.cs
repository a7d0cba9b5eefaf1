namespace Orleans.Joblib;

/// <summary>Backend <c>"multiprocessing"</c>: calls run in worker processes of this loop's own, which end with it.</summary>
/// <remarks>
/// Like <c>"loky"</c>, but nothing is shared with other loops, and results cannot be streamed, as in joblib. Options: <see cref="MultiprocessingBackendOptions"/>.
/// joblib 1.6: <c>MultiprocessingBackend</c>.
/// </remarks>
public sealed class MultiprocessingBackend : ProcessBackend
{
    /// <inheritdoc/>
    public override string Name => BackendRegistry.Multiprocessing;

    /// <inheritdoc/>
    public override bool SupportsReturnGenerator => false;

    private protected override PoolLease Open(BackendSettings settings, int nJobs, PayloadCodec codec)
    {
        var options = settings.Options switch
        {
            null => null,
            MultiprocessingBackendOptions given => given,
            var other => throw new ArgumentException($"The backend 'multiprocessing' does not know '{other.GetType().Name}'. Pass MultiprocessingBackendOptions as backendOptions."),
        };
        return new ProcessPool(NewSettings(settings, nJobs, codec, options) with { MaxBatchesPerWorker = options?.MaxTasksPerChild }).Lease(nJobs, Timeout.InfiniteTimeSpan);
    }

    private protected override void Close(PoolLease lease)
    {
        lease.Dispose();
        lease.Pool.Dispose();
    }
}
