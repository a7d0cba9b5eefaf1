namespace Orleans.Joblib;

/// <summary>A backend whose batches grow and shrink with the time they take. joblib 1.6: <c>AutoBatchingMixin</c>.</summary>
public abstract class AutoBatchingBackend : ParallelBackend
{
    private readonly AutoBatcher _batcher;
    private BatchSizeChange? _change;

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
    public override int ComputeBatchSize()
    {
        var size = _batcher.ComputeBatchSize(out var change);
        if (change is not null)
        {
            _change = change;
        }

        return size;
    }

    /// <inheritdoc/>
    public override void BatchCompleted(int batchSize, TimeSpan duration) => _batcher.BatchCompleted(batchSize, duration);

    internal override void Dispatches(int batchSize) => _batcher.Dispatches(batchSize);

    internal override void Forget() => _batcher.Reset();

    internal override BatchSizeChange? TakeBatchSizeChange() => Interlocked.Exchange(ref _change, null);

    /// <inheritdoc/>
    public override ValueTask TerminateAsync()
    {
        _batcher.Reset();
        return ValueTask.CompletedTask;
    }
}
