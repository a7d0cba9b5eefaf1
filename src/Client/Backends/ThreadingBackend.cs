namespace Orleans.Joblib;

/// <summary>Backend <c>"threading"</c>, the default: calls run on dedicated threads of this process.</summary>
/// <remarks>
/// nJobs threads, made when work first needs them and kept for 5 s after a run. Automatic batches aim at 0.1 ms to 1 ms: handing a batch to a thread costs
/// microseconds, not joblib's milliseconds, so longer batches would only share out worse. joblib 1.6: <c>ThreadingBackend</c>, whose batches stay at one call.
/// </remarks>
public sealed class ThreadingBackend : AutoBatchingBackend
{
    private static readonly TimeSpan ShortBatch = TimeSpan.FromMilliseconds(0.1);
    private static readonly TimeSpan LongBatch = TimeSpan.FromMilliseconds(1);
    private const int MostCallsOfBatch = 1024;

    private WorkerPool? _pool;
    private int _nJobs;
    private ThreadLimit _limit;

    /// <summary>A backend without workers; <see cref="ConfigureAsync"/> gets them ready.</summary>
    public ThreadingBackend()
        : base(new AutoBatcher(ShortBatch, LongBatch, MostCallsOfBatch))
    {
    }

    /// <inheritdoc/>
    public override string Name => BackendRegistry.Threading;

    /// <inheritdoc/>
    public override bool UsesThreads => true;

    /// <inheritdoc/>
    public override bool SupportsSharedMemory => true;

    /// <inheritdoc/>
    public override bool SupportsTimeout => true;

    /// <inheritdoc/>
    public override bool SupportsInnerMaxNumThreads => true;

    /// <summary>The pool that runs the batches; null while not configured.</summary>
    internal WorkerPool? Pool => _pool;

    /// <inheritdoc/>
    public override int EffectiveNJobs(int nJobs) => LocalNJobs(nJobs);

    /// <inheritdoc/>
    public override async ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        _nJobs = await base.ConfigureAsync(settings, cancellationToken).ConfigureAwait(false);
        if (_nJobs == 1)
        {
            throw new FallbackToBackendException(new SequentialBackend { NestingLevel = NestingLevel });
        }

        _limit = ThreadLimit.Of(_nJobs, settings.InnerMaxNumThreads);
        _pool = NewPool();
        return _nJobs;
    }

    /// <inheritdoc/>
    public override void Submit(CallBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (_pool?.TrySubmit(batch) is not true)
        {
            batch.Complete(new ObjectDisposedException(Name, "The threads of this loop have ended."));
        }
    }

    /// <inheritdoc/>
    public override void Abandon(CallBatch batch) => _pool!.Abandon(batch);

    /// <inheritdoc/>
    public override ValueTask AbortEverythingAsync(bool ensureReady)
    {
        // A thread in the middle of a call cannot be stopped: it ends after that call, and nobody waits for it.
        _pool?.Dispose();
        _pool = ensureReady ? NewPool() : null;
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask TerminateAsync()
    {
        _pool?.Dispose();
        _pool = null;
        return base.TerminateAsync();
    }

    private WorkerPool NewPool() => new(_nJobs, "joblib-threading", _limit);
}
