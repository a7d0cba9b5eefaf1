using System.Diagnostics;
using System.Threading.Channels;

namespace Orleans.Joblib;

/// <summary>One invocation of a <c>Parallel</c>: takes calls from the sequence, hands batches to the backend, puts outcomes in order.</summary>
/// <remarks>
/// <para>Two kinds of state. What the <em>dispatcher</em> owns (the reader of the sequence) is touched only by the thread that holds the turn
/// (<c>_dispatching</c>); a thread that finds the turn taken leaves a credit and goes, so a slow sequence blocks no worker and a backend that completes inline
/// does not recurse. All else is behind <c>_gate</c>.</para>
/// <para>Invariants: a credit is one batch that may be in flight; batches in flight + credits = batches first dispatched. Once <c>_ended</c> is set nothing is
/// dispatched or delivered and late outcomes are ignored. joblib 1.6: <c>Parallel.dispatch_one_batch</c>, <c>_start</c>, <c>_retrieve</c>.</para>
/// </remarks>
internal sealed partial class ParallelRun<T> : IBatchOwner, IFollowedLoop, IThreadPoolWorkItem
{
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ClosePatience = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly ConfiguredBackend _backend;
    private readonly BatchReader<T> _reader;
    private readonly RunObserver _observer;
    private readonly RunScope _scope;
    private readonly ResultOrder _order;
    private readonly int? _maxUnconsumed;
    private readonly long _defaultWindow;
    private readonly ExecutionContext _callerContext = CallContext.OfCaller();
    private readonly Action<ConfiguredBackend, bool> _released;
    private readonly Func<(long Dispatched, long? Total)> _counts;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ResultList<T>? _results;
    private readonly Channel<CallBatch<T>>? _stream;
    private readonly HashSet<CallBatch<T>>? _watched;
    private readonly ITimer? _watch;
    private readonly CancellationToken _cancellationToken;
    private CancellationTokenRegistration _cancellation;
    private int _looking;

    // Behind _gate.
    private readonly Queue<CallBatch<T>> _inOrder = new();
    private bool _dispatching = true;
    private bool _preDispatching = true;
    private bool _drained;
    private bool _ended;
    private bool _left;
    private long _credits;
    private long _dispatchedCalls;
    private long _dispatchedBatches;
    private long _endedBatches;
    private long _completedCalls;
    private long _consumedBatches;
    private long _consumedCalls;
    private Exception? _failure;

    internal ParallelRun(
        RunSettings settings,
        ConfiguredBackend backend,
        Activity? span,
        CallSource<T> source,
        ResultOrder order,
        int? maxUnconsumed,
        Action<ConfiguredBackend, bool> released,
        CancellationToken cancellationToken)
    {
        _backend = backend;
        _reader = new BatchReader<T>(source, backend.Backend, backend.NJobs, settings, maxUnconsumed);
        _order = order;
        _maxUnconsumed = maxUnconsumed;
        _released = released;
        _counts = () => (Volatile.Read(ref _dispatchedCalls), _reader.Length ?? (Volatile.Read(ref _drained) ? _dispatchedCalls : null));

        // Twice the batches in flight: one half runs while the other waits for the consumer.
        _defaultWindow = settings.PreDispatch.IsAll ? 4L * backend.NJobs : Math.Max(2L, 2 * _reader.PreDispatchLeft);
        _results = order == ResultOrder.Array ? new ResultList<T>(source.Length) : null;
        _stream = order == ResultOrder.Array ? null : Channel.CreateUnbounded<CallBatch<T>>(new UnboundedChannelOptions { SingleReader = true });
        _observer = new RunObserver(settings, backend, span, source.Length, _reader.PreDispatchLeft, _time);
        var timeout = backend.Backend.SupportsTimeout ? settings.Timeout : null;
        _scope = new RunScope
        {
            Context = CallContext.OfWorkers(backend.Backend),
            Timeout = timeout,
            ReportsCalls = settings.Progress is not null,
            Activity = _observer.Span,
            NestingLevel = (backend.Backend.NestingLevel ?? 0) + 1,
        };

        if (timeout is { } overdue)
        {
            _watched = [];
            var period = OverdueCall.WatchPeriod(overdue);
            _watch = _time.CreateTimer(static run => ((ParallelRun<T>)run!).GiveUpOverdueCalls(), this, period, period);
        }

        _cancellationToken = cancellationToken;
    }

    ClientProgress IFollowedLoop.Progress
    {
        get
        {
            lock (_gate)
            {
                return new ClientProgress(_dispatchedCalls, _completedCalls, _reader.Length ?? (_drained ? _dispatchedCalls : null), RunFailures.Of(_failure));
            }
        }
    }

    ActivityContext IFollowedLoop.Span => _observer.Span;

    private string Name => _backend.Backend.Name;

    /// <summary>Completes when the run has ended and its backend is ready for another, faulted if the run failed.</summary>
    internal Task Ending => _ending.Task;

    internal bool Ended => Volatile.Read(ref _ended);

    /// <summary>Begins the run at its backend. Nothing ends it before that: the backend would begin a run that is over.</summary>
    /// <remarks>Never throws.</remarks>
    internal void Start()
    {
        try
        {
            _backend.Backend.Follow(this);
            _backend.Backend.StartRun();
        }
        catch (Exception exception)
        {
            Fail(exception);
            return;
        }

        _cancellation = _cancellationToken.UnsafeRegister(
            static (run, token) => ((ParallelRun<T>)run!).Fail(new OperationCanceledException(token)), this);
    }

    /// <summary>Takes the first calls from the sequence on the caller's thread and dispatches them; of a run that has ended, closes the sequence.</summary>
    /// <remarks>Never throws. Returns when the turn is given back, or where a sequence first awaits.</remarks>
    internal void Dispatch() => _ = DispatchAsync();

    internal T[] Results()
    {
        lock (_gate)
        {
            return _results!.ToArray();
        }
    }

    /// <summary>The next batch of a stream, if one is there. A failure comes before results that wait, as in joblib.</summary>
    internal bool TryTake(out CallBatch<T> batch)
    {
        batch = null!;
        return Volatile.Read(ref _failure) is null && _stream!.Reader.TryRead(out batch!);
    }

    /// <summary>Waits until <see cref="TryTake"/> is worth a try; throws the run's failure.</summary>
    /// <returns>False when the stream has ended.</returns>
    internal async ValueTask<bool> WaitToTakeAsync()
    {
        if (Volatile.Read(ref _failure) is null && await _stream!.Reader.WaitToReadAsync().ConfigureAwait(false) && Volatile.Read(ref _failure) is null)
        {
            return true;
        }

        await Ending.ConfigureAwait(false);
        return false;
    }

    /// <summary>The consumer took a batch's results: as much may be dispatched again.</summary>
    /// <remarks>By a thread of the pool: a sequence that makes its reader wait, perhaps for the consumer itself, must not keep results that are there from him.</remarks>
    internal void Consumed(CallBatch<T> batch)
    {
        lock (_gate)
        {
            _consumedBatches++;
            _consumedCalls += batch.Count;
            if (!TryTakeTurn())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The consumer left. Work that nobody will see is cancelled, and said so. Never throws.</summary>
    /// <param name="taken">Results that it took of a batch not yet <see cref="Consumed"/>.</param>
    internal void Leave(int taken)
    {
        WarnAboutUnused(taken);
        Fail(new OperationCanceledException("The stream was left before its end."));
    }

    /// <summary>The user disposed the <c>Parallel</c>.</summary>
    internal void Stop()
    {
        if (_stream is not null)
        {
            WarnAboutUnused(taken: 0);
        }

        Fail(new OperationCanceledException("The Parallel was disposed before its run had ended."));
    }

    private void WarnAboutUnused(int taken)
    {
        long ready;
        long pending;
        lock (_gate)
        {
            if (_left || _failure is not null)
            {
                return;
            }

            _left = true;
            ready = _completedCalls - _consumedCalls - taken;
            pending = _dispatchedCalls - _completedCalls;
        }

        if (ready == 0 && pending == 0)
        {
            return;
        }

        try
        {
            JoblibLog.StreamLeft(Joblib.Logger, ready, pending);
        }
        catch (Exception exception)
        {
            // What the user's logger throws is the run's failure; it ends either way.
            Fail(exception);
        }
    }

    void IBatchOwner.CallEnded(bool failed) => Report(failed ? 1 : 0);

    void IBatchOwner.BatchEnded(CallBatch batch, Exception? fault)
    {
        try
        {
            TakeOutcome((CallBatch<T>)batch, fault);
        }
        catch (Exception exception)
        {
            // A backend's BatchCompleted is third-party code on a worker's thread: its fault is the run's, not the process's.
            Fail(exception);
        }
    }

    private void TakeOutcome(CallBatch<T> batch, Exception? fault)
    {
        var duration = _observer.BatchEnded(batch, batch.IsWhole, fault);
        if (fault is not null)
        {
            // The library's own errors name the thing and the remedy already.
            Fail(fault is JoblibException ? fault : new JoblibException(
                "backend-fault",
                $"The backend '{Name}' could not execute batch {batch.Number} ({batch.Count} calls from call {batch.FirstCallIndex}): {ExceptionParts.MessageOf(fault)}",
                fault));
        }
        else if (batch.Failure is { } failure)
        {
            Fail(failure.Exception);
        }
        else if (batch.IsWhole)
        {
            Succeed(batch, duration);
        }
        else if (!_scope.Ended)
        {
            Fail(new JoblibException(
                "batch-not-executed", $"The backend '{Name}' completed batch {batch.Number} without executing it. Call Execute before Complete, or pass the fault."));
        }
    }

    /// <summary>Ends the run with a failure: no further dispatch, calls in progress are told, late outcomes are ignored. The first failure counts.</summary>
    internal void Fail(Exception exception)
    {
        bool closesSource;
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
            _failure = exception;

            // A thread that has the turn closes the sequence when it sees the end; without one it is ours to close.
            closesSource = !_dispatching;
            _dispatching = true;
        }

        _scope.End();
        _reader.Interrupt();
        _ = EndAsync(closesSource);
    }

    private void Succeed(CallBatch<T> batch, TimeSpan duration)
    {
        _backend.Backend.BatchCompleted(batch.Count, duration);
        BatchReader<T>.Recycle(batch);
        bool hasTurn;
        bool finished;
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _watched?.Remove(batch);
            _endedBatches++;
            _completedCalls += batch.Count;
            Deliver(batch);
            _credits++;
            finished = TryFinish();
            if (!finished)
            {
                _observer.Print(_completedCalls, _dispatchedCalls, _dispatchedBatches, _drained);
            }

            // Last, since the console may throw: a turn that nobody takes would leave the sequence open.
            hasTurn = TryTakeTurn();
        }

        if (hasTurn && _backend.Backend.DispatchesElsewhere)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else if (hasTurn)
        {
            DispatchInCallersContext();
        }
        else if (finished)
        {
            _ = EndAsync(closesSource: false);
        }
    }

    // Called with _gate held.
    private void Deliver(CallBatch<T> batch)
    {
        if (_order == ResultOrder.Completion)
        {
            _stream!.Writer.TryWrite(batch);
            return;
        }

        batch.Delivered = true;
        while (_inOrder.TryPeek(out var head) && head.Delivered)
        {
            _inOrder.Dequeue();
            if (_results is not null)
            {
                _results.Append(head.Results);
            }
            else
            {
                _stream!.Writer.TryWrite(head);
            }
        }
    }

    // Called with _gate held: true once, when the sequence has no more and the last batch has ended.
    private bool TryFinish()
    {
        if (!_drained || _endedBatches != _dispatchedBatches || _ended)
        {
            return false;
        }

        return _ended = true;
    }

    private async Task CloseSourceAsync()
    {
        try
        {
            await _reader.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // The run already has its failure; a second one, from closing the sequence, must not hide it.
            JoblibLog.SourceNotClosed(Joblib.Logger, exception);
        }
    }

    private async Task EndAsync(bool closesSource)
    {
        var reusable = false;
        try
        {
            reusable = await StopAsync(closesSource).ConfigureAwait(false);
            _observer.RunEnded(_completedCalls, _endedBatches, _failure);
        }
        catch (Exception exception)
        {
            // The user's logger, listener or console threw: that is the run's failure, like what his Report throws.
            Volatile.Write(ref _failure, _failure ?? exception);
        }

        _cancellation.Unregister();
        _watch?.Dispose();
        _released(_backend, reusable);
        _stream?.Writer.TryComplete();
        if (_failure is { } failure)
        {
            _ending.SetException(failure);
            _ = _ending.Task.Exception;
        }
        else
        {
            _ending.SetResult();
        }
    }

    /// <returns>Whether the backend may serve another run.</returns>
    private async Task<bool> StopAsync(bool closesSource)
    {
        var failed = _failure is not null;
        if (closesSource)
        {
            // The user's code: however long it takes, the backend is stopped now.
            ThreadPool.UnsafeQueueUserWorkItem(
                static run => ExecutionContext.Run(run._callerContext, static run => _ = ((ParallelRun<T>)run!).CloseSourceAsync(), run), this, preferLocal: false);
        }

        try
        {
            _backend.Backend.Follow(null);
            if (failed)
            {
                // A backend that cannot abort in time, a cluster out of reach say, must not keep the caller waiting: it is not used again.
                await _backend.Backend.AbortEverythingAsync(ensureReady: true).AsTask().WaitAsync(AbortPatience).ConfigureAwait(false);

                // A sequence that is waiting and ignores its token, or a thread deep in the user's code, must not keep the failure from the caller.
                await _reader.Closed.WaitAsync(ClosePatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            _backend.Backend.StopRun();
            return true;
        }
        catch (Exception exception)
        {
            JoblibLog.AbortFailed(Joblib.Logger, exception, Name);
            return false;
        }
    }

    private void GiveUpOverdueCalls()
    {
        // One look at a time: where it takes longer than the timer's period, more of them would not be quicker.
        if (Interlocked.Exchange(ref _looking, 1) != 0)
        {
            return;
        }

        try
        {
            CallBatch<T>[] started;
            lock (_gate)
            {
                if (_ended)
                {
                    return;
                }

                // A long pre-dispatch is batches by the million that only wait.
                started = [.. _watched!.Where(batch => batch.HasStarted)];
            }

            var now = _time.GetTimestamp();
            foreach (var overdue in started.SelectMany(batch => batch.GiveUpOverdue(now)))
            {
                GiveUp(overdue);
            }
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    private void GiveUp(OverdueCall<T> overdue)
    {
        var timeout = _scope.Timeout!.Value;
        try
        {
            var (exception, failure) = overdue.Describe(timeout);
            JoblibLog.CallOverdue(Joblib.Logger, overdue.Index, timeout);
            _backend.Backend.Abandon(overdue.Part);
            Report(failed: 1);
            if (overdue.Part.EndOverdue(overdue, exception, failure) is { } rest)
            {
                _backend.Backend.Submit(rest);
            }
        }
        catch (Exception fault)
        {
            // This is the timer's thread: what the user's logger or a backend throws is the run's, not the process's.
            Fail(fault);
        }
    }

    private void Report(int failed)
    {
        try
        {
            _observer.CallsEnded(1, failed, _counts);
        }
        catch (Exception exception)
        {
            // This is a worker's thread: what the user's Report throws is the run's, not the process's.
            Fail(exception);
        }
    }
}
