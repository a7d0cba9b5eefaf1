using System.Collections;

namespace Orleans.Joblib;

/// <summary>A sequential run's results one by one, for either kind of loop. Read once, by one consumer; nothing runs ahead of it. Dropped, it frees its instance.</summary>
internal sealed class SequentialStream<T>(SequentialRun<T> run) : IEnumerable<T>, IEnumerator<T>, IAsyncEnumerable<T>, IAsyncEnumerator<T>
{
    private IEnumerator<T>? _results;
    private IAsyncEnumerator<T>? _asyncResults;
    private int _started;

    // Closing runs the user's code (the end of his sequence, his logger): on a thread of the pool, since the finalizer's is the whole process's.
    ~SequentialStream() => ThreadPool.UnsafeQueueUserWorkItem(static dropped => _ = dropped.LeaveAsync(), this, preferLocal: false);

    public T Current => _results is not null ? _results.Current : _asyncResults!.Current;

    object? IEnumerator.Current => Current;

    public IEnumerator<T> GetEnumerator()
    {
        Start();
        _results = run.Results().GetEnumerator();
        return this;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        Start();
        _asyncResults = run.ResultsAsync(cancellationToken).GetAsyncEnumerator(CancellationToken.None);
        return this;
    }

    public bool MoveNext() => _results!.MoveNext();

    public ValueTask<bool> MoveNextAsync() => _asyncResults!.MoveNextAsync();

    public void Reset() => throw new NotSupportedException("A stream of results is read once. Call Stream again.");

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _results?.Dispose();
        run.Leave();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return new(LeaveAsync());
    }

    // A task keeps what is thrown: of a stream that was dropped there is nobody to be told.
    private async Task LeaveAsync()
    {
        _results?.Dispose();
        if (_asyncResults is not null)
        {
            await _asyncResults.DisposeAsync().ConfigureAwait(false);
        }

        await run.LeaveAsync().ConfigureAwait(false);
    }

    private void Start()
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new InvalidOperationException("A stream of results is read once. Call Stream again.");
        }
    }
}
