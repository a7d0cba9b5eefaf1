namespace Orleans.Joblib.Silo;

/// <summary>A batch from another process in a silo's worker pool: decoded, executed and its outcome encoded by the worker, so that neither Orleans' threads nor other runs pay for it.</summary>
internal sealed class RemoteBatchWork(SiloRun run, RemoteBatch request, CodecLease code, WorkerPool pool, TimeProvider time) : IWorkItem, IRemoteBatchHost
{
    private readonly long _arrivedAt = time.GetTimestamp();
    private long _startedAt;
    private int _ended;

    public object Owner => run;

    ThreadLimit? IWorkItem.Limit => run.Limit;

    public bool WantsWork => pool.WantsWork;

    public void Run(IWorkSharer sharer)
    {
        JoblibInstruments.SlotTaken();
        _startedAt = time.GetTimestamp();
        ExecutableBatch.Execute(request, code.Codec, run.Scope(request.Timeout, request.NestingLevel), this);
        JoblibInstruments.SlotFreed();
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

    public void Ended(OutcomeStatus status, byte[] payload) => End(status, payload, executed: true);

    /// <summary>The silo gives the batch back before a worker took it up.</summary>
    internal void GiveBack() => End(OutcomeStatus.NotExecuted, [], executed: false);

    private void End(OutcomeStatus status, byte[] payload, bool executed)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            return;
        }

        var queued = executed ? time.GetElapsedTime(_arrivedAt, _startedAt) : time.GetElapsedTime(_arrivedAt);
        if (executed)
        {
            run.Reporter.Add(new BatchReport(request.Number, request.Calls, status != OutcomeStatus.Completed, time.GetElapsedTime(_arrivedAt)));
        }

        code.Dispose();
        run.Outcomes!.Add(
            new BatchOutcome(request.Handle, status, payload, queued, executed ? time.GetElapsedTime(_startedAt) : TimeSpan.Zero),
            handle => run.InHand.TryRemove(handle, out _));
    }

    /// <summary>A part of this batch that a worker shared out.</summary>
    internal sealed class PartWork(RemoteBatchWork batch, CallBatch part) : IWorkItem
    {
        internal CallBatch Part => part;

        public object Owner => batch.Owner;

        ThreadLimit? IWorkItem.Limit => ((IWorkItem)batch).Limit;

        public void Run(IWorkSharer sharer)
        {
            JoblibInstruments.SlotTaken();
            part.Sharer = batch;
            part.Execute();
            JoblibInstruments.SlotFreed();
            part.Complete();
        }
    }
}
