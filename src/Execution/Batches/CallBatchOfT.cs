using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>A batch of calls that return <typeparamref name="T"/>, with room for their results; or a part of one, cut off for another worker.</summary>
/// <remarks>
/// <para>The batch that was dispatched, the <em>root</em>, owns the arrays and counts down the calls that are left; its parts are ranges of them. Only the worker
/// that executes a part moves its end.</para>
/// <para>When calls are watched one by one (a timeout, per-call progress), <c>_gate</c> guards the invariant: the worker writes results only while the part is
/// not abandoned, and abandoning decides which call was the last. After that the thread that is stuck in the call owns nothing.</para>
/// </remarks>
internal sealed class CallBatch<T> : CallBatch
{
    // A batch that runs longer than this gives half of what is left to an idle worker. The clock is looked at after every call that took a millisecond, and
    // every 32 calls where they are fast: under 1 ns a call.
    private static readonly TimeSpan SharesAfter = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan SlowPace = TimeSpan.FromMilliseconds(1);
    private const int MostCallsBetweenLooks = 32;

    private readonly Lock _gate = new();
    private readonly CallBatch<T> _root;
    private readonly int _start;
    private readonly List<CallBatch<T>>? _watchedParts;
    private int _end;
    private int _callsLeft;
    private int _endedCalls;
    private int _pace = 1;
    private long _lookedAt;
    private volatile bool _hasStarted;
    private CancellationTokenSource? _abandoning;
    private int _current = -1;
    private long _currentStartedAt;
    private string? _worker;

    internal CallBatch(IBatchOwner owner, RunScope scope, long number, long firstCallIndex, Delayed<T>[] calls, int count)
        : base(owner, scope, number, firstCallIndex, count)
    {
        Calls = calls;
        Results = new T[count];
        _root = this;
        _callsLeft = _end = count;
        if (Watched)
        {
            _watchedParts = [this];
        }
    }

    private CallBatch(CallBatch<T> root, int start, int end)
        : base(root.Owner, root.Scope, root.Number, root.FirstCallIndex + start, end - start)
    {
        Calls = root.Calls;
        Results = root.Results;
        _root = root;
        _start = start;
        _end = end;
        DispatchedAt = root.DispatchedAt;
        Span = root.Span;
        Parent = root.Parent;

        // Where its silo's workers are found, should this part have to be given up.
        Slot = root.Slot;
        Handle = root.Handle;
        if (root._watchedParts is { } parts)
        {
            lock (parts)
            {
                parts.Add(this);
            }
        }
    }

    /// <summary>The results of a root, one per call.</summary>
    internal T[] Results { get; }

    /// <summary>The name of the thread that makes the calls; known when they are watched one by one.</summary>
    internal string? Worker => _worker;

    /// <summary>Whether a worker of this process has taken up a root, or a part of it, whose calls are watched.</summary>
    internal bool HasStarted => _hasStarted;

    /// <summary>Whether every call of a root has ended without a failure.</summary>
    internal bool IsWhole => Volatile.Read(ref _callsLeft) == 0;

    /// <summary>The calls of a root; only the first <see cref="CallBatch.Count"/> entries belong to it.</summary>
    private Delayed<T>[] Calls { get; set; }

    private bool Watched => Scope.Timeout is not null || Scope.ReportsCalls;

    /// <summary>Gives a whole root's array of calls back: nothing will run them any more.</summary>
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

    /// <summary>Takes from their workers the parts of this root whose current call has run longer than the timeout.</summary>
    internal IEnumerable<OverdueCall<T>> GiveUpOverdue(long now)
    {
        CallBatch<T>[] parts;
        lock (_watchedParts!)
        {
            parts = [.. _watchedParts];
        }

        foreach (var part in parts)
        {
            if (part.TryAbandon(now) is { } offset)
            {
                yield return new OverdueCall<T>(part, FirstCallIndex + offset, Calls[offset].ToString(), offset);
            }
        }
    }

    /// <summary>Ends an abandoned part with the failure of its overdue call.</summary>
    /// <returns>The calls behind it, to be executed elsewhere; null when there are none, or when the failure is not kept and so ends the run.</returns>
    internal CallBatch<T>? EndOverdue(OverdueCall<T> overdue, Exception exception, CallFailure failure)
    {
        var offset = overdue.Offset;
        if (!Calls[offset].TryKeepFailure(exception, failure, out var value))
        {
            Failure = new FailedCall(exception, failure);
            TellOwner(null);
            return null;
        }

        Results[offset] = value;
        var rest = offset + 1 < _end ? new CallBatch<T>(_root, offset + 1, _end) : null;
        _end = offset + 1;
        _endedCalls = _end - _start;
        TellOwner(null);
        return rest;
    }

    internal override string FirstCallText => Calls[_start].ToString();

    internal override byte[] Encode(PayloadEncoder encoder, IArraySink? arrays) => encoder.EncodeCalls<T>(Calls.AsSpan(_start, Count), arrays);

    internal override void TakeResults(ReadOnlyMemory<byte> payload, PayloadDecoder decoder, IArraySource? arrays)
    {
        decoder.DecodeResults(payload, Results.AsSpan(_start, Count), arrays);
        _endedCalls = Count;
        if (Scope.ReportsCalls)
        {
            for (var i = 0; i < Count; i++)
            {
                Owner.CallEnded(failed: Results[_start + i] is ICallOutcome { IsSuccess: false });
            }
        }
    }

    internal override IReadOnlyList<CallBatch>? SplitCalls()
    {
        if (Count == 1 || !ClaimCompletion())
        {
            return null;
        }

        // The parts tell the owner from now on, the last of them that the whole batch has ended.
        return [.. Enumerable.Range(_start, Count).Select(i => new CallBatch<T>(_root, i, i + 1))];
    }

    private protected override void TellOwner(Exception? fault)
    {
        if (_root._watchedParts is { } parts)
        {
            lock (parts)
            {
                parts.Remove(this);
            }
        }

        if (Failure is not null)
        {
            _root.Failure ??= Failure;
        }

        // A part that is done is no news while others are not; anything else is.
        var left = Interlocked.Add(ref _root._callsLeft, -_endedCalls);
        if (left == 0 && fault is null && Failure is null)
        {
            fault = _root.ResultFault();
        }

        if (left == 0 || fault is not null || Failure is not null || _endedCalls < _end - _start)
        {
            Owner.BatchEnded(_root, fault);
        }
    }

    private protected override void MakeCalls()
    {
        _lookedAt = StartedAt;
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
        var calls = Calls;
        var results = Results;
        var token = Scope.Ending;
        var i = _start;
        while (i < _end)
        {
            try
            {
                while (i < _end)
                {
                    for (var look = Math.Min(_end, i + _pace); i < look; i++)
                    {
                        if (Scope.Ended)
                        {
                            return;
                        }

                        results[i] = calls[i].Invoke(token);
                    }

                    Look(i);
                }
            }
            catch (Exception exception)
            {
                if (!TryKeep(i, exception))
                {
                    return;
                }

                i++;
            }
        }

        _endedCalls = i - _start;
    }

    private void MakeWatchedCalls()
    {
        _root._hasStarted = true;
        _worker = Thread.CurrentThread.Name;
        var abandoning = _abandoning = CancellationTokenSource.CreateLinkedTokenSource(Scope.Ending);
        for (var i = _start; i < _end && !Scope.Ended; i++)
        {
            lock (_gate)
            {
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
                if (IsAbandoned)
                {
                    // The token is the collector's: its callbacks may be running still.
                    return;
                }

                _current = -1;
                if (thrown is null)
                {
                    Results[i] = value;
                }
                else if (!TryKeep(i, thrown))
                {
                    break;
                }

                _endedCalls = i + 1 - _start;
            }

            if (Scope.ReportsCalls)
            {
                Owner.CallEnded(failed: thrown is not null);
            }

            Look(i + 1);
        }

        // No call is in progress, so none can be given up any more.
        abandoning.Dispose();
        if (Failure is not null && Scope.ReportsCalls)
        {
            Owner.CallEnded(failed: true);
        }
    }

    /// <summary>Looks at the clock, and gives half of what is left away when it is time and somebody wants it.</summary>
    private void Look(int next)
    {
        if (Sharer is not { } sharer)
        {
            _pace = MostCallsBetweenLooks;
            return;
        }

        var now = Scope.Time.GetTimestamp();
        if (Scope.Time.GetElapsedTime(_lookedAt, now) > SlowPace)
        {
            _pace = 1;
            WorkerThreads.Current?.Refresh(Stopwatch.GetTimestamp());
        }
        else
        {
            _pace = Math.Min(2 * _pace, MostCallsBetweenLooks);
        }

        _lookedAt = now;
        var left = _end - next;
        if (left >= 2 && Scope.Time.GetElapsedTime(StartedAt, now) > SharesAfter && sharer.WantsWork)
        {
            var cut = _end - (left / 2);
            var part = new CallBatch<T>(_root, cut, _end);
            _end = cut;
            sharer.Share(part);
        }
    }

    private int? TryAbandon(long now)
    {
        int overdue;
        lock (_gate)
        {
            if (_current < 0 || IsAbandoned || Scope.Time.GetElapsedTime(_currentStartedAt, now) < Scope.Timeout || !ClaimCompletion())
            {
                return null;
            }

            IsAbandoned = true;
            overdue = _current;
        }

        RunScope.Cancel(_abandoning!);
        return overdue;
    }

    private CannotTravelException? ResultFault()
    {
        try
        {
            ResultVerifier?.EncodeResults<T>(Results);
            return null;
        }
        catch (CannotTravelException exception)
        {
            return exception;
        }
    }

    private bool TryKeep(int offset, Exception exception)
    {
        // The run's own end is no failure of a call that obeyed its token.
        if (exception is OperationCanceledException && Scope.Ended)
        {
            return false;
        }

        var failure = CallFailure.Describe(exception, _root.FirstCallIndex + offset, Calls[offset].ToString());
        if (Calls[offset].TryKeepFailure(exception, failure, out var value))
        {
            Results[offset] = value;
            return true;
        }

        Failure = new FailedCall(exception, failure);
        return false;
    }
}
