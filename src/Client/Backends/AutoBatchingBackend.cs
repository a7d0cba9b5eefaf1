namespace Orleans.Joblib;

/// <summary>A backend whose batches grow and shrink with the time they take. joblib 1.6: <c>AutoBatchingMixin</c>.</summary>
public abstract class AutoBatchingBackend : ParallelBackend
{
    private readonly AutoBatcher _batcher;
    private int _verbose;

    /// <summary>joblib's bounds: 0.2 s to 2 s a batch.</summary>
    protected AutoBatchingBackend()
        : this(new AutoBatcher())
    {
    }

    /// <summary>Bounds of your own.</summary>
    /// <param name="batcher">The bounds.</param>
    protected AutoBatchingBackend(AutoBatcher batcher)
    {
        ArgumentNullException.ThrowIfNull(batcher);
        _batcher = batcher;
    }

    /// <inheritdoc/>
    public override ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _verbose = settings.Verbose;
        return base.ConfigureAsync(settings, cancellationToken);
    }

    /// <inheritdoc/>
    public override int ComputeBatchSize()
    {
        var size = _batcher.ComputeBatchSize(out var change);
        if (change is not null && _verbose >= ProgressPrinter.BackendVerbosity)
        {
            ProgressPrinter.PrintBatchSize(change);
        }

        return size;
    }

    /// <inheritdoc/>
    public override void BatchCompleted(int batchSize, TimeSpan duration) => _batcher.BatchCompleted(batchSize, duration);

    /// <inheritdoc/>
    public override ValueTask TerminateAsync()
    {
        _batcher.Reset();
        return ValueTask.CompletedTask;
    }
}
