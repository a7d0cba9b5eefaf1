namespace Orleans.Joblib;

/// <summary>A batch of calls that return <typeparamref name="T"/>, with room for their results.</summary>
/// <remarks>
/// When calls are watched one by one (a timeout, per-call progress), <c>_gate</c> guards the invariant: the worker writes results only while the batch is
/// not abandoned, and abandoning decides which call was the last. After that the thread that is stuck in the call owns nothing.
/// </remarks>
internal sealed class CallBatch<T> : CallBatch
{
    private readonly Lock _gate = new();
    private readonly CallBatch<T>? _whole;
    private readonly int _start;
    private CancellationTokenSource? _abandoning;
    private int _current = -1;
    private long _currentStartedAt;
    private bool _abandoned;
    private string? _worker;
    private volatile CallBatch<T>? _rest;

    internal CallBatch(IBatchOwner owner, RunScope scope, long number, long firstCallIndex, Delayed<T>[] calls, int count)
        : base(owner, scope, number, firstCallIndex, count)
    {
        Calls = calls;
        Results = new T[count];
        _whole = null;
    }

    private CallBatch(CallBatch<T> whole, int start)
        : base(whole.Owner, whole.Scope, whole.Number, whole.FirstCallIndex, whole.Count)
    {
        Calls = whole.Calls;
        Results = whole.Results;
        _whole = whole;
        _start = start;
    }

    /// <summary>The calls; only the first <see cref="CallBatch.Count"/> entries belong to the batch.</summary>
    internal Delayed<T>[] Calls { get; private set; }

    /// <summary>The results, one per call.</summary>
    internal T[] Results { get; }

    /// <summary>The batch that a consumer knows: a rest that was cut off an abandoned batch stands for the whole of it.</summary>
    internal CallBatch<T> Whole => _whole?.Whole ?? this;

    /// <summary>The part of this batch that a worker has now: itself, or the rest behind the last call that was given up.</summary>
    internal CallBatch<T> Running => _rest?.Running ?? this;

    /// <summary>The name of the thread that makes the calls; known when they are watched one by one.</summary>
    internal string? Worker => _worker;

    /// <summary>Gives the calls' array back once nothing can run them any more.</summary>
    internal Delayed<T>[]? ReleaseCalls()
    {
        // A watched batch may have a stuck worker that still reads its call: leave that array to the collector.
        if (Watched)
        {
            return null;
        }

        var calls = Calls;
        Calls = [];
        return calls;
    }

    internal override int TryAbandon(long now)
    {
        if (Scope.Timeout is not { } timeout)
        {
            return -1;
        }

        int current;
        lock (_gate)
        {
            if (_current < 0 || _abandoned || Scope.Time.GetElapsedTime(_currentStartedAt, now) < timeout || !ClaimCompletion())
            {
                return -1;
            }

            _abandoned = true;

            // Kept now: a call that obeys its token leaves it before Cancel has returned.
            current = _current;
        }

        try
        {
            _abandoning?.Cancel();
        }
        catch (Exception exception) when (exception is AggregateException or ObjectDisposedException)
        {
            // A callback that the user's call registered threw, or the call ended this very moment and took its token source along: it is given up all the same.
        }

        return current;
    }

    /// <summary>After <see cref="TryAbandon"/>: the batch that makes the calls behind the overdue one, or null if it was the last or the failure is not kept.</summary>
    internal CallBatch<T>? Continue(int offset, Exception exception, CallFailure failure, out bool kept)
    {
        kept = Calls[offset].TryKeepFailure(exception, failure, out var value);
        if (!kept)
        {
            Failure = new FailedCall(offset, exception, failure);
            return null;
        }

        Results[offset] = value;
        EndedCalls = offset + 1;
        return _rest = EndedCalls < Count ? new CallBatch<T>(this, EndedCalls) : null;
    }

    private bool Watched => Scope.Timeout is not null || Scope.ReportsCalls;

    private protected override void MakeCalls()
    {
        if (Watched)
        {
            MakeWatchedCalls();
        }
        else
        {
            MakeUnwatchedCalls();
        }
    }

    private void MakeUnwatchedCalls()
    {
        var calls = Calls.AsSpan(0, Count);
        var results = Results;
        var token = Scope.Ending;
        var i = 0;
        while (i < calls.Length)
        {
            try
            {
                for (; i < calls.Length; i++)
                {
                    if (Scope.Ended)
                    {
                        EndedCalls = i;
                        return;
                    }

                    results[i] = calls[i].Invoke(token);
                }
            }
            catch (Exception exception)
            {
                if (!TryKeep(i, exception))
                {
                    EndedCalls = i + 1;
                    return;
                }

                i++;
            }
        }

        EndedCalls = i;
    }

    private void MakeWatchedCalls()
    {
        using var abandoning = CancellationTokenSource.CreateLinkedTokenSource(Scope.Ending);
        _abandoning = abandoning;
        _worker = Thread.CurrentThread.Name;
        for (var i = _start; i < Count && !Scope.Ended; i++)
        {
            lock (_gate)
            {
                if (_abandoned)
                {
                    return;
                }

                _current = i;
                _currentStartedAt = Scope.Time.GetTimestamp();
            }

            T value = default!;
            Exception? thrown = null;
            try
            {
                value = Calls[i].Invoke(abandoning.Token);
            }
            catch (Exception exception)
            {
                thrown = exception;
            }

            lock (_gate)
            {
                _current = -1;
                if (_abandoned)
                {
                    return;
                }

                EndedCalls = i + 1;
                if (thrown is null)
                {
                    Results[i] = value;
                }
                else if (!TryKeep(i, thrown))
                {
                    break;
                }
            }

            if (Scope.ReportsCalls)
            {
                Owner.CallEnded(failed: thrown is not null);
            }
        }

        if (Failure is not null && Scope.ReportsCalls)
        {
            Owner.CallEnded(failed: true);
        }
    }

    private bool TryKeep(int offset, Exception exception)
    {
        // The run's own end is no failure of a call that obeyed its token.
        if (exception is OperationCanceledException && Scope.Ended)
        {
            return false;
        }

        var failure = CallFailure.Describe(exception, FirstCallIndex + offset, Calls[offset].ToString());
        if (Calls[offset].TryKeepFailure(exception, failure, out var value))
        {
            Results[offset] = value;
            return true;
        }

        Failure = new FailedCall(offset, exception, failure);
        return false;
    }
}
