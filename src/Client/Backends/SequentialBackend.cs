namespace Orleans.Joblib;

/// <summary>Backend <c>"sequential"</c>: calls run one after the other on the calling thread. joblib 1.6: <c>SequentialBackend</c>.</summary>
public sealed class SequentialBackend : ParallelBackend
{
    /// <inheritdoc/>
    public override string Name => BackendRegistry.Sequential;

    /// <inheritdoc/>
    public override bool UsesThreads => true;

    /// <inheritdoc/>
    public override bool SupportsSharedMemory => true;

    /// <inheritdoc/>
    public override int EffectiveNJobs(int nJobs) => 1;

    /// <summary>Not used: one job runs on the calling thread. Executes the batch here and now.</summary>
    /// <param name="batch">The calls.</param>
    public override void Submit(CallBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Execute();
        batch.Complete();
    }

    /// <summary>A sequential loop does not count as a level.</summary>
    public override NestedBackend GetNestedBackend() => new(BackendRegistry.Sequential, NestingLevel ?? 0);
}
