using System.Collections;

namespace Orleans.Joblib;

/// <summary>A run's results one by one, for either kind of loop. Read once, by one consumer. Left early or collected unread, it cancels the run.</summary>
internal sealed class ResultStream<T>(ParallelRun<T> run) : IEnumerable<T>, IEnumerator<T>, IAsyncEnumerable<T>, IAsyncEnumerator<T>
{
    private T[] _results = [];
    private int _at;
    private CallBatch<T>? _batch;
    private int _started;
    private CancellationTokenRegistration _cancellation;

    // Nothing of the run refers to its stream, so a stream that the program dropped is collected and frees the workers. Leaving runs the user's code (his logger,
    // what hangs on the calls' token, the end of his sequence): on a thread of the pool, since the finalizer's is the whole process's.
    ~ResultStream() => ThreadPool.UnsafeQueueUserWorkItem(static dropped => dropped.Leave(), this, preferLocal: false);

    public T Current => _results[_at];

    object? IEnumerator.Current => Current;

    public IEnumerator<T> GetEnumerator()
    {
        Start();
        return this;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        Start();
        _cancellation = cancellationToken.UnsafeRegister(static (r, token) => ((ParallelRun<T>)r!).Fail(new OperationCanceledException(token)), run);
        return this;
    }

    public bool MoveNext()
    {
        while (!Advance())
        {
            var waiting = run.WaitToTakeAsync();
            if (!(waiting.IsCompleted ? waiting.GetAwaiter().GetResult() : waiting.AsTask().GetAwaiter().GetResult()))
            {
                return false;
            }
        }

        return true;
    }

    public ValueTask<bool> MoveNextAsync() => Advance() ? new(true) : WaitAsync();

    public void Reset() => throw new NotSupportedException("A stream of results is read once. Call Stream again.");

    /// <summary>Returns when the run has ended and its <c>Parallel</c> is free for another.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Leave();
        if (!run.Ending.IsCompleted)
        {
            Task.WaitAny([run.Ending]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Leave();
        await run.Ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private int Taken => _batch is null ? 0 : _at + 1;

    private void Leave()
    {
        run.Leave(Taken);
        _cancellation.Dispose();
    }

    private bool Advance()
    {
        if (++_at < _results.Length)
        {
            return true;
        }

        if (_batch is { } consumed)
        {
            _batch = null;
            _results = [];
            run.Consumed(consumed);
        }

        if (!run.TryTake(out var batch))
        {
            _at = -1;
            return false;
        }

        _batch = batch;
        _results = batch.Results;
        _at = 0;
        return true;
    }

    private async ValueTask<bool> WaitAsync()
    {
        while (await run.WaitToTakeAsync().ConfigureAwait(false))
        {
            if (Advance())
            {
                return true;
            }
        }

        return false;
    }

    private void Start()
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new InvalidOperationException("A stream of results is read once. Call Stream again.");
        }
    }
}
