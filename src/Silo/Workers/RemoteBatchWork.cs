using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>A batch from another process in a silo's worker pool: decoded, executed and its outcome encoded by the worker, so that neither Orleans' threads nor other runs pay for it.</summary>
internal sealed class RemoteBatchWork(SiloRun run, RemoteBatch request, CodecLease code, SiloRunArrays? arrays, ArrayUse? use, WorkerPool pool, TimeProvider time) : IWorkItem, IRemoteBatchHost
{
    // An outcome that came with an answer is kept until the client says that it has it: longer ones are acknowledged at once.
    private const int MostKeptBytes = 64 * 1024;

    // The client waits with its next message to this slot no longer than this.
    private static readonly TimeSpan AwaitsNoLonger = TimeSpan.FromMilliseconds(5);

    private readonly long _arrivedAt = time.GetTimestamp();
    private long _startedAt;
    private int _ended;
    private SiloAddress? _givenBackBy;
    private volatile bool _failed;
    private TaskCompletionSource<BatchOutcome?>? _awaited;
    private BatchOutcome? _kept;
    private WorkerArrays? _worker;
    private IArraySource? _source;
    private ResultArrays? _results;

    public object Owner => run;

    public int MostAtOnce => run.MostAtOnce;

    // A thread that waits for a worker process has no calls to hold to a limit.
    ThreadLimit? IWorkItem.Limit => run.InProcesses ? null : run.Limit;

    public bool WantsWork => run.WantsWork(pool);

    public void Run(IWorkSharer sharer)
    {
        run.Started(request.Number, request.Calls);
        _startedAt = time.GetTimestamp();
        if (run.InProcesses)
        {
            RunInProcess();
        }
        else
        {
            RunOnThread();
        }

        run.Ended(_failed);
    }

    public IArraySource? Arrays => _source;

    public IArraySink? ResultArrays => _results;

    private void RunOnThread()
    {
        if (arrays is not null && (_worker = arrays.Enter()) is null)
        {
            // Its loop has ended meanwhile.
            End(OutcomeStatus.NotExecuted, [], executed: true);
        }
        else
        {
            _results = _worker?.NewResults();
            _source = use?.Files is { } files ? new MovedArrays(_worker!.Source, files) : _worker?.Source;
            ExecutableBatch.Execute(request, code.Codec, run.Scope(request.Timeout, request.NestingLevel), this);
        }

        if (_worker is not null)
        {
            arrays!.Leave();
        }
    }

    private void RunInProcess()
    {
        try
        {
            code.Code?.Context.PrepareFrames();
            if (run.ProcessesFor(code, arrays) is not { } lease || arrays?.HasEnded == true)
            {
                End(OutcomeStatus.NotExecuted, [], executed: true);
                return;
            }

            var batch = new ProcessBatch(lease, request, code.Codec, arrays, use?.Files);
            lease.Pool.Submit(batch);
            var (status, payload) = batch.Outcome();
            End(status, payload, executed: true, batch.Results);
        }
        catch (Exception exception)
        {
            End(OutcomeStatus.Fault, code.Codec.Encoder.EncodeFailure(exception, null), executed: true);
        }
    }

    public void Share(CallBatch part)
    {
        if (!pool.TrySubmit(new PartWork(this, part)))
        {
            part.Complete();
        }
    }

    // The whole batch's own worker has this as its item; no other part begins with the batch's first call.
    public void Abandon(CallBatch part) => pool.Abandon(item =>
        item is PartWork work ? ReferenceEquals(work.Part, part) : ReferenceEquals(item, this) && part.FirstCallIndex == request.FirstCallIndex);

    public void Ended(OutcomeStatus status, byte[] payload)
    {
        if (_results is not { References: { Count: > 0 } written } results || status != OutcomeStatus.Completed)
        {
            _results?.Dispose();
            End(status, payload, executed: true);
            return;
        }

        End(status, payload, executed: true, new KeptResults([.. written.Select(reference => reference.Path)], [results]));
    }

    /// <summary>Lets go of the code and the arrays that the batch needs.</summary>
    internal void LetGo()
    {
        code.Dispose();
        use?.Dispose();
    }

    /// <summary>Whether the silo has given the batch back because it was asked to: the same batch may come again.</summary>
    internal bool IsGivenBack => _givenBackBy is not null;

    /// <summary>The silo gives the batch back before a worker took it up.</summary>
    /// <param name="silo">This silo, when it was asked to; null when the run or the silo ends.</param>
    internal void GiveBack(SiloAddress? silo = null)
    {
        _givenBackBy = silo;
        End(OutcomeStatus.NotExecuted, [], executed: false);
    }

    /// <summary>Has the outcome go with the answer to the message that brought the batch. Call before the batch is queued.</summary>
    internal void Await() => _awaited = new TaskCompletionSource<BatchOutcome?>();

    /// <summary>The outcome, if it comes soon; else null, and it goes the other way.</summary>
    internal async ValueTask<BatchOutcome?> OutcomeAsync()
    {
        var awaited = _awaited!;
        try
        {
            return await awaited.Task.WaitAsync(AwaitsNoLonger, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            awaited.TrySetResult(null);
            return await awaited.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Sends an outcome that went with an answer once more, and until it is acknowledged: the answer may have been lost.</summary>
    internal void SendAgain()
    {
        if (Interlocked.Exchange(ref _kept, null) is { } outcome)
        {
            Send(outcome);
        }
    }

    private void End(OutcomeStatus status, byte[] payload, bool executed, KeptResults? results = null)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            _ = results?.DisposeAsync().AsTask();
            return;
        }

        _failed = status != OutcomeStatus.Completed;
        var queued = executed ? time.GetElapsedTime(_arrivedAt, _startedAt) : time.GetElapsedTime(_arrivedAt);
        if (executed)
        {
            run.Reporter.Add(new BatchReport(request.Number, request.Calls, status != OutcomeStatus.Completed, time.GetElapsedTime(_arrivedAt)));
        }

        if (results is not null && !arrays!.TryKeep(request.Handle, results))
        {
            // Its loop has ended meanwhile: nobody wants them.
            (status, payload, results) = (OutcomeStatus.NotExecuted, [], null);
        }

        if (payload.Length > JoblibProtocol.MostPayloadBytes)
        {
            payload = code.Codec.Encoder.EncodeFailure(PayloadBound.ResultsTooLarge(request.FirstCallIndex, request.Calls, payload.Length), null);
            status = OutcomeStatus.Fault;
        }

        LetGo();
        var outcome = new BatchOutcome(request.Handle, status, payload, queued, executed ? time.GetElapsedTime(_startedAt) : TimeSpan.Zero, GivenBackBy: _givenBackBy);
        if (results is not null)
        {
            // By reference where the client sees the files; else they are hashed, and stored, beside the worker that takes the next batch.
            _awaited?.TrySetResult(null);
            if (arrays!.IsShared)
            {
                Send(outcome with { Arrays = run.Runtime is null ? [] : [.. results.Paths.Select(ArrayResult.Shared)] });
            }
            else
            {
                _ = Task.Run(() => SendAsync(outcome, results));
            }

            return;
        }

        // What was not executed goes to another silo, and must not be said once more when it is there.
        if (executed && _awaited is { } awaited && payload.Length <= MostKeptBytes)
        {
            Volatile.Write(ref _kept, outcome);
            if (awaited.TrySetResult(outcome))
            {
                return;
            }

            Volatile.Write(ref _kept, null);
        }

        _awaited?.TrySetResult(null);
        Send(outcome);
    }

    private async Task SendAsync(BatchOutcome outcome, KeptResults results)
    {
        try
        {
            outcome = outcome with { Arrays = await results.DescribeAsync(arrays!.ResultBlobs).ConfigureAwait(false) };
        }
        catch (Exception) when (results.IsReleased)
        {
            // Its loop has ended meanwhile: nobody wants them.
            outcome = outcome with { Status = OutcomeStatus.NotExecuted, Payload = [] };
        }
        catch (Exception exception)
        {
            arrays!.Taken(request.Handle);

            // The code set may be unloaded by now: this needs nothing of it.
            var encoder = new PayloadEncoder(NoReferences.Instance, new SerializerTable());
            outcome = outcome with { Status = OutcomeStatus.Fault, Payload = encoder.EncodeFailure(exception, null) };
        }

        Send(outcome);
    }

    private void Send(BatchOutcome outcome) => run.Outcomes!.Add(outcome, handle => run.InHand.TryRemove(new KeyValuePair<long, RemoteBatchWork>(handle, this)));

    private void Started(CallBatch part) => run.Started(part.Number, part.Count);

    private void Ended(CallBatch part) => run.Ended(part.Failure is not null);

    /// <summary>A part of this batch that a worker shared out.</summary>
    internal sealed class PartWork(RemoteBatchWork batch, CallBatch part) : IWorkItem
    {
        internal CallBatch Part => part;

        public object Owner => batch.Owner;

        public int MostAtOnce => batch.MostAtOnce;

        ThreadLimit? IWorkItem.Limit => ((IWorkItem)batch).Limit;

        public void Run(IWorkSharer sharer)
        {
            batch.Started(part);
            part.Sharer = batch;
            part.Execute();
            batch.Ended(part);
            part.Complete();
        }
    }
}
