namespace Orleans.Joblib;

/// <summary>An <see cref="IAsyncEnumerable{T}"/> of calls.</summary>
// CloseAsync disposes the token source: sources are closed, not disposed.
#pragma warning disable CA1001
internal sealed class AsyncCallSource<T> : CallSource<T>
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _interrupting;
    private readonly IAsyncEnumerator<Delayed<T>> _calls;
    private ValueTask<bool>? _pending;

    internal AsyncCallSource(IAsyncEnumerable<Delayed<T>> calls, CancellationToken cancellationToken)
    {
        _interrupting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            _calls = calls.GetAsyncEnumerator(_interrupting.Token);
        }
        catch (Exception)
        {
            _interrupting.Dispose();
            throw;
        }
    }

    internal override async ValueTask<int> ReadAsync(Delayed<T>[] buffer, int count, long? began, bool hasCalls)
    {
        Paused = false;
        for (var i = 0; i < count; i++)
        {
            var next = _pending ?? _calls.MoveNextAsync();
            _pending = null;
            if (began is not null && !next.IsCompleted && (hasCalls || i > 0))
            {
                // Calls in hand go out now; the next read takes up the wait.
                _pending = next.Preserve();
                Paused = true;
                return i;
            }

            if (!await next.ConfigureAwait(false))
            {
                Exhausted = true;
                return i;
            }

            var call = _calls.Current;
            Take(call);
            buffer[i] = call;
        }

        return count;
    }

    internal override void Interrupt()
    {
        try
        {
            RunScope.Cancel(_interrupting);
        }
        catch (ObjectDisposedException)
        {
            // The sequence is closed already.
        }
    }

    private protected override async ValueTask DisposeEnumeratorAsync()
    {
        if (_pending is { } pending)
        {
            // An enumerator may not be disposed while it is asked for its next element.
            try
            {
                await pending.ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The run is over: what the sequence would have thrown concerns nobody.
            }
        }

        await _calls.DisposeAsync().ConfigureAwait(false);
        _interrupting.Dispose();
    }
}
