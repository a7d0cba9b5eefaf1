namespace Orleans.Joblib;

/// <summary>The user's sequence. Read by one thread at a time; that thread may change from read to read.</summary>
internal abstract class CallSource<T>
{
    private long _taken;
    private readonly TaskCompletionSource _whenClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _closed;

    /// <summary>The sequence's length when it is known without reading it.</summary>
    internal virtual long? Length => null;

    /// <summary>Whether the sequence has given its last call.</summary>
    internal bool Exhausted { get; private protected set; }

    /// <summary>Whether the last read ended because the sequence makes its reader wait: calls in hand should go out.</summary>
    internal bool Paused { get; private protected set; }

    internal static CallSource<T> From(IEnumerable<Delayed<T>> calls) => new SyncCallSource<T>(calls);

    internal static CallSource<T> From(IAsyncEnumerable<Delayed<T>> calls, CancellationToken cancellationToken) => new AsyncCallSource<T>(calls, cancellationToken);

    /// <summary>Reads calls into a buffer.</summary>
    /// <param name="buffer">Where to, from its start.</param>
    /// <param name="count">How many.</param>
    /// <param name="began">When the reader began to look ahead, as a <see cref="System.Diagnostics.Stopwatch"/> timestamp: a sequence that makes it wait may end the read early. Null: it may not.</param>
    /// <param name="hasCalls">Whether the reader has calls in hand from an earlier read; a read without any waits for one.</param>
    /// <returns>How many calls were read; fewer than <paramref name="count"/> at the sequence's end or at a pause.</returns>
    internal abstract ValueTask<int> ReadAsync(Delayed<T>[] buffer, int count, long? began, bool hasCalls);

    /// <summary>The run has ended: a sequence that awaits its next call may stop waiting.</summary>
    internal virtual void Interrupt()
    {
    }

    /// <summary>Completes when the sequence's enumerator has been disposed.</summary>
    internal Task Closed => _whenClosed.Task;

    /// <summary>Disposes the sequence's enumerator; a second time it does nothing.</summary>
    internal async ValueTask CloseAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return;
        }

        try
        {
            await DisposeEnumeratorAsync().ConfigureAwait(false);
        }
        finally
        {
            _whenClosed.TrySetResult();
        }
    }

    private protected abstract ValueTask DisposeEnumeratorAsync();

    private protected void Take(in Delayed<T> call)
    {
        if (call.IsNull)
        {
            throw new ArgumentException($"Call {_taken} of the sequence is null. Make every call with Joblib.Delayed.") { HelpLink = "docs/errors.md#null-call" };
        }

        _taken++;
    }
}
