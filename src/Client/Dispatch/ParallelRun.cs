using System.Buffers;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>One invocation of a <c>Parallel</c>: takes calls from the sequence, hands batches to the backend, puts outcomes in order.</summary>
/// <remarks>
/// <para>Two kinds of state. What the <em>dispatcher</em> owns (the source, the ready batches) is touched only by the thread that holds the turn
/// (<c>_dispatching</c>); a thread that finds the turn taken leaves a credit and goes, so a slow sequence blocks no worker and a backend that completes inline
/// does not recurse. All else is behind <c>_gate</c>.</para>
/// <para>Invariants: a credit is one batch that may be in flight; batches in flight + credits = batches first dispatched. Once <c>_ended</c> is set nothing is
/// dispatched or delivered and late outcomes are ignored. joblib 1.6: <c>Parallel.dispatch_one_batch</c>, <c>_start</c>, <c>_retrieve</c>.</para>
/// </remarks>
internal sealed class ParallelRun<T> : IBatchOwner
{
    private const int MostReadsExpected = 1024;
    private static readonly TimeSpan LongestClose = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly RunSettings _settings;
    private readonly ConfiguredBackend _backend;
    private readonly CallSource<T> _source;
    private readonly ResultOrder _order;
    private readonly int? _maxUnconsumed;
    private readonly RunScope _scope;
    private readonly ExecutionContext _callerContext;
    private readonly ProgressPrinter? _printer;
    private readonly Activity? _activity;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly long _startedAt;
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ResultList<T>? _results;
    private readonly Channel<CallBatch<T>>? _stream;
    private readonly HashSet<CallBatch<T>>? _watched;
    private readonly ITimer? _watch;
    private readonly Action<ConfiguredBackend, bool> _released;
    private readonly long _defaultWindow;
    private readonly CancellationTokenRegistration _cancellation;

    // The dispatcher's.
    private readonly Queue<CallBatch<T>> _ready = new();
    private long _taken;
    private long _batches;
    private long _preDispatchLeft;

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

    // Behind _reportGate.
    private readonly Lock _reportGate = new();
    private long _reportedCalls;
    private long _reportedFailures;

    internal ParallelRun(
        RunSettings settings,
        ConfiguredBackend backend,
        CallSource<T> source,
        ResultOrder order,
        int? maxUnconsumed,
        Action<ConfiguredBackend, bool> released,
        CancellationToken cancellationToken)
    {
        _settings = settings;
        _backend = backend;
        _source = source;
        _order = order;
        _maxUnconsumed = maxUnconsumed;
        _startedAt = _time.GetTimestamp();
        _released = released;
        _preDispatchLeft = settings.PreDispatch.Calls(backend.NJobs);

        // Twice the batches in flight: one half runs while the other waits for the consumer.
        _defaultWindow = settings.PreDispatch.IsAll ? 4L * backend.NJobs : Math.Max(2L, 2 * _preDispatchLeft);
        _results = order == ResultOrder.Array ? new ResultList<T>(source.Length) : null;
        _stream = order == ResultOrder.Array
            ? null
            : Channel.CreateUnbounded<CallBatch<T>>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = false });
        var timeout = backend.Backend.SupportsTimeout ? settings.Timeout : null;
        _activity = JoblibInstruments.StartRun(backend.Backend.Name, backend.NJobs);
        _callerContext = Captured();
        _scope = new RunScope
        {
            Context = WorkerContext(),
            Timeout = timeout,
            ReportsCalls = settings.Progress is not null,
            Activity = _activity?.Context ?? default,
        };

        // The run's span ends on another thread; on this one it must not stay current.
        if (_activity is not null)
        {
            Activity.Current = _activity.Parent;
        }

        if (settings.Verbose > 0)
        {
            _printer = new ProgressPrinter(
                backend.NJobs, settings.Verbose, source.Length, settings.PreDispatch.IsAll ? 0 : _preDispatchLeft);
            _printer.Started(backend.Backend.Name);
        }

        if (timeout is { } overdue)
        {
            _watched = [];
            var period = TimeSpan.FromMilliseconds(Math.Clamp(overdue.TotalMilliseconds / 8, 1, 250));
            _watch = _time.CreateTimer(static run => ((ParallelRun<T>)run!).GiveUpOverdueCalls(), this, period, period);
        }

        _cancellation = cancellationToken.UnsafeRegister(
            static (run, token) => ((ParallelRun<T>)run!).Fail(new OperationCanceledException(token)), this);
    }

    private string Name => _backend.Backend.Name;

    /// <summary>Completes when the run has ended and its backend is ready for another, faulted if the run failed.</summary>
    internal Task Ending => _ending.Task;

    /// <summary>Takes the first calls from the sequence on the caller's thread and dispatches them; does not wait for a sequence that has none ready.</summary>
    internal void Start()
    {
        try
        {
            _backend.Backend.StartRun();
        }
        catch (Exception exception)
        {
            // Ended as any failed run is, so that its timer, its token and its instance are free again.
            Fail(exception);
        }

        _ = DispatchAsync();
    }

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

        DispatchInCallersContext();
    }

    /// <summary>The consumer left. Work that nobody will see is cancelled, and said so.</summary>
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

        if (ready > 0 || pending > 0)
        {
            JoblibLog.StreamLeft(Joblib.Logger, ready, pending);
        }
    }

    void IBatchOwner.CallEnded(bool failed)
    {
        try
        {
            Report(1, failed ? 1 : 0);
        }
        catch (Exception exception)
        {
            // The user's IProgress threw on a worker's thread: its fault is the run's, not the process's.
            Fail(exception);
        }
    }

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

    private void TakeOutcome(CallBatch<T> part, Exception? fault)
    {
        var whole = part.Whole;
        var duration = _time.GetElapsedTime(whole.DispatchedAt);
        Measure(part, whole, fault, duration);
        if (fault is not null)
        {
            Fail(new JoblibException(
                "backend-fault",
                $"The backend '{Name}' could not execute batch {whole.Number} ({whole.Count} calls from call {whole.FirstCallIndex}): {fault.Message}",
                fault));
        }
        else if (part.Failure is { } failure)
        {
            Fail(failure.Exception);
        }
        else if (part.EndedCalls == whole.Count)
        {
            Succeed(whole, duration);
        }
        else if (!_scope.Ended)
        {
            Fail(new JoblibException(
                "batch-not-executed", $"The backend '{Name}' completed batch {whole.Number} without executing it. Call Execute before Complete, or pass the fault."));
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
        _source.Stop();
        _ = EndAsync(closesSource);
    }

    private void Succeed(CallBatch<T> batch, TimeSpan duration)
    {
        _backend.Backend.BatchCompleted(batch.Count, duration);
        if (batch.ReleaseCalls() is { } calls)
        {
            ArrayPool<Delayed<T>>.Shared.Return(calls, clearArray: true);
        }

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
            hasTurn = TryTakeTurn();
            finished = TryFinish();
            if (!finished)
            {
                Print();
            }
        }

        if (hasTurn)
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

    // Called with _gate held.
    private bool TryTakeTurn()
    {
        if (_dispatching || _ended || !MayDispatch())
        {
            return false;
        }

        return _dispatching = true;
    }

    // Called with _gate held.
    private bool MayDispatch() => (_preDispatching || _credits > 0) && HasRoom();

    // Called with _gate held. Results that nobody has taken hold back new calls, so that a stream's memory is bounded by its consumer, not by the sequence.
    private bool HasRoom()
    {
        if (_order == ResultOrder.Array)
        {
            return true;
        }

        var outstanding = _dispatchedBatches - _consumedBatches;
        if (_maxUnconsumed is { } most)
        {
            return outstanding == 0 || _dispatchedCalls - _consumedCalls < most;
        }

        return outstanding < _defaultWindow;
    }

    private void DispatchInCallersContext()
    {
        // The sequence is the caller's code: it runs in the caller's context, on whatever thread has the turn.
        ExecutionContext.Run(_callerContext, static run => _ = ((ParallelRun<T>)run!).DispatchAsync(), this);
    }

    /// <summary>Dispatches while it may, then gives the turn back. Never throws: what the sequence or the backend throws fails the run.</summary>
    private async Task DispatchAsync()
    {
        try
        {
            while (await NextBatchAsync().ConfigureAwait(false) is { } batch)
            {
                batch.DispatchedAt = _time.GetTimestamp();
                batch.Span = JoblibInstruments.StartBatch(_scope.Activity, batch.Number, batch.Count);
                _backend.Backend.Submit(batch);
            }
        }
        catch (Exception exception)
        {
            Fail(exception);
            await CloseSourceAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The next batch to dispatch, counted as dispatched; null when the turn was given back.</summary>
    private async ValueTask<CallBatch<T>?> NextBatchAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_ended)
                {
                    break;
                }

                // Pre-dispatch is over when its calls are out, or when a stream's bound is met first: from then on a batch that ends brings the next.
                if (_preDispatching && ((_preDispatchLeft == 0 && _ready.Count == 0) || !HasRoom()))
                {
                    _preDispatching = false;
                }

                // With nothing in flight no batch will bring a credit: a sequence that gave no call must end here.
                var atEnd = _source.Exhausted && _ready.Count == 0 && _endedBatches == _dispatchedBatches;
                if (!atEnd && !MayDispatch())
                {
                    _dispatching = false;
                    return null;
                }

                if (_ready.TryDequeue(out var batch))
                {
                    _credits -= _preDispatching ? 0 : 1;
                    _dispatchedBatches++;
                    _dispatchedCalls += batch.Count;
                    _watched?.Add(batch);
                    if (_order != ResultOrder.Completion)
                    {
                        _inOrder.Enqueue(batch);
                    }

                    return batch;
                }
            }

            if (!_source.Exhausted)
            {
                await ReadBatchesAsync().ConfigureAwait(false);
                continue;
            }

            await _source.CloseAsync().ConfigureAwait(false);
            bool finished;
            lock (_gate)
            {
                // The turn is kept: nothing is left to dispatch.
                _drained = true;
                finished = TryFinish();
            }

            if (finished)
            {
                await EndAsync(closesSource: false).ConfigureAwait(false);
            }

            return null;
        }

        await CloseSourceAsync().ConfigureAwait(false);
        return null;
    }

    /// <summary>Looks ahead: a batch for every job, or, at the sequence's end, smaller ones so that the jobs finish together.</summary>
    private async ValueTask ReadBatchesAsync()
    {
        var nJobs = _backend.NJobs;
        var size = _settings.BatchSize.IsAuto ? Math.Clamp(_backend.Backend.ComputeBatchSize(), 1, BatchSize.MaxCalls) : _settings.BatchSize.Calls;
        if (_printer is not null && _backend.Backend.TakeBatchSizeChange() is { } change)
        {
            lock (_gate)
            {
                _printer.BatchSizeChanged(change);
            }
        }

        if (_maxUnconsumed is { } most)
        {
            size = Math.Clamp(size, 1, Math.Max(1, most / (2 * nJobs)));
        }

        var wanted = Math.Min((long)size * nJobs, _preDispatching ? _preDispatchLeft : long.MaxValue);
        var cut = (int)Math.Max(1, wanted / nJobs);
        var read = new List<ArraySegment<Delayed<T>>>(Math.Min(nJobs, MostReadsExpected));
        long count = 0;
        while (count < wanted)
        {
            var asked = (int)Math.Min(cut, wanted - count);
            var buffer = ArrayPool<Delayed<T>>.Shared.Rent(asked);
            var got = await _source.ReadAsync(buffer, asked, mayPause: _settings.BatchSize.IsAuto, hasCalls: count > 0).ConfigureAwait(false);
            read.Add(new ArraySegment<Delayed<T>>(buffer, 0, got));
            count += got;
            if (got < asked)
            {
                break;
            }
        }

        var tail = count < wanted ? (int)Math.Max(1, count / (_source.Exhausted && !_preDispatching ? 10L * nJobs : nJobs)) : cut;
        if (_preDispatching)
        {
            _preDispatchLeft = _source.Exhausted ? 0 : _preDispatchLeft - count;
        }

        foreach (var segment in tail < cut ? Recut(read, tail) : read)
        {
            if (segment.Count > 0)
            {
                _ready.Enqueue(new CallBatch<T>(this, _scope, _batches++, _taken, segment.Array!, segment.Count));
                _taken += segment.Count;
            }
        }
    }

    private static List<ArraySegment<Delayed<T>>> Recut(List<ArraySegment<Delayed<T>>> read, int size)
    {
        var pieces = new List<ArraySegment<Delayed<T>>>();
        foreach (var segment in read)
        {
            for (var start = 0; start < segment.Count; start += size)
            {
                var count = Math.Min(size, segment.Count - start);
                var piece = ArrayPool<Delayed<T>>.Shared.Rent(count);
                segment.AsSpan(start, count).CopyTo(piece);
                pieces.Add(new ArraySegment<Delayed<T>>(piece, 0, count));
            }

            ArrayPool<Delayed<T>>.Shared.Return(segment.Array!, clearArray: true);
        }

        return pieces;
    }

    private async Task CloseSourceAsync()
    {
        try
        {
            await _source.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // The run already has its failure; a second one, from closing the sequence, must not hide it.
            JoblibLog.SourceNotClosed(Joblib.Logger, exception);
        }
    }

    private async Task EndAsync(bool closesSource)
    {
        var failed = _failure is not null;
        var reusable = true;
        if (closesSource)
        {
            // An asynchronous sequence that is waiting and ignores its token must not keep the failure from the caller.
            var closing = CloseSourceAsync();
            if (!closing.IsCompleted)
            {
                await Task.WhenAny(closing, Task.Delay(LongestClose, _time)).ConfigureAwait(false);
            }
        }

        try
        {
            if (failed)
            {
                await _backend.Backend.AbortEverythingAsync(ensureReady: true).ConfigureAwait(false);
            }

            _backend.Backend.StopRun();
        }
        catch (Exception exception)
        {
            reusable = false;
            JoblibLog.AbortFailed(Joblib.Logger, exception, Name);
        }

        _cancellation.Unregister();
        _watch?.Dispose();
        var elapsed = _time.GetElapsedTime(_startedAt);
        var outcome = failed ? _failure is OperationCanceledException ? "cancelled" : "failed" : "completed";
        if (!failed && _completedCalls > 0)
        {
            _printer?.Finished(_completedCalls, elapsed);
        }

        JoblibInstruments.RunEnded(Name, outcome, elapsed);
        if (Joblib.Logger.IsEnabled(LogLevel.Information))
        {
            JoblibLog.RunEnded(Joblib.Logger, Name, _backend.NJobs, _completedCalls, _endedBatches, elapsed, outcome);
        }

        _activity?.SetStatus(failed ? ActivityStatusCode.Error : ActivityStatusCode.Ok, _failure?.GetType().FullName);
        _activity?.Dispose();
        _released(_backend, reusable);
        _stream?.Writer.TryComplete();
        if (failed)
        {
            _ending.SetException(_failure!);
            _ = _ending.Task.Exception;
        }
        else
        {
            _ending.SetResult();
        }
    }

    private void GiveUpOverdueCalls()
    {
        CallBatch<T>[] watched;
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            watched = [.. _watched!];
        }

        var now = _time.GetTimestamp();
        foreach (var batch in watched)
        {
            var part = batch.Running;
            var offset = part.TryAbandon(now);
            if (offset >= 0)
            {
                GiveUp(part, offset);
            }
        }
    }

    private void GiveUp(CallBatch<T> part, int offset)
    {
        var timeout = _scope.Timeout!.Value;
        var index = part.FirstCallIndex + offset;
        var call = part.Calls[offset].ToString();
        var exception = new TimeoutException($"Call {index}, {call}, has run longer than its timeout of '{timeout}'. Raise 'timeout', or let the call watch its token.");
        var failure = CallFailure.Describe(exception, index, call, part.Worker);
        JoblibLog.CallOverdue(Joblib.Logger, index, timeout);
        try
        {
            _backend.Backend.Abandon(part);
            var rest = part.Continue(offset, exception, failure, out var kept);
            Report(1, 1);
            if (!kept)
            {
                Fail(exception);
            }
            else if (rest is null)
            {
                ((IBatchOwner)this).BatchEnded(part, null);
            }
            else
            {
                _backend.Backend.Submit(rest);
            }
        }
        catch (Exception fault)
        {
            Fail(fault);
        }
    }

    private void Report(int ended, int failed)
    {
        if (_settings.Progress is not { } progress)
        {
            return;
        }

        // A lock of its own: the user's Report must hold up neither results nor dispatch, and reports must come in order.
        lock (_reportGate)
        {
            _reportedCalls += ended;
            _reportedFailures += failed;
            progress.Report(new RunProgress(
                _reportedCalls,
                _reportedFailures,
                Volatile.Read(ref _dispatchedCalls),
                _source.Length ?? (Volatile.Read(ref _drained) ? _dispatchedCalls : null),
                _time.GetElapsedTime(_startedAt)));
        }
    }

    // Called with _gate held.
    private void Print()
    {
        if (_printer is null)
        {
            return;
        }

        var elapsed = _time.GetElapsedTime(_startedAt);
        if (_drained)
        {
            _printer.Draining(_completedCalls, _dispatchedCalls, elapsed);
        }
        else
        {
            _printer.Running(_completedCalls, _dispatchedBatches, elapsed);
        }
    }

    private void Measure(CallBatch<T> part, CallBatch<T> whole, Exception? fault, TimeSpan duration)
    {
        if (!JoblibInstruments.MeasuresBatches && whole.Span is null)
        {
            return;
        }

        var failed = fault is not null || part.Failure is not null;
        JoblibInstruments.BatchEnded(
            Name,
            failed ? "failed" : part.EndedCalls == whole.Count ? "completed" : "cancelled",
            whole.Count,
            duration,
            part.StartedAt == 0 ? duration : _time.GetElapsedTime(whole.DispatchedAt, part.StartedAt));
        whole.Span?.SetStatus(failed ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
        whole.Span?.Dispose();
    }

    /// <summary>The context that calls run in: the caller's, with the configuration that loops inside calls get.</summary>
    private ExecutionContext WorkerContext()
    {
        var nested = _backend.Backend.GetNestedBackend();
        using var scope = new ConfigScope(new ConfigFrame { Backend = nested.Backend, NestingLevel = nested.NestingLevel, NJobs = nested.NJobs });
        return Captured();
    }

    private static ExecutionContext Captured()
    {
        // A caller that suppressed the flow still must not lose the nested configuration: loops inside its calls would start threads without end.
        if (!ExecutionContext.IsFlowSuppressed())
        {
            return ExecutionContext.Capture()!;
        }

        ExecutionContext.RestoreFlow();
        try
        {
            return ExecutionContext.Capture()!;
        }
        finally
        {
            ExecutionContext.SuppressFlow();
        }
    }
}
