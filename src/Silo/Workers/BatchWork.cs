namespace Orleans.Joblib.Silo;

/// <summary>A batch in a silo's worker pool. The worker that executed it tells the batch's run at once: no message stands between an outcome and its caller.</summary>
internal sealed class BatchWork(SiloRun run, CallBatch batch, WorkerPool pool, TimeProvider time) : IWorkItem, IWorkSharer
{
    private readonly long _arrivedAt = time.GetTimestamp();

    public object Owner => run;

    public int MostAtOnce => run.MostAtOnce;

    ThreadLimit? IWorkItem.Limit => run.Limit;

    public bool WantsWork => run.WantsWork(pool);

    internal CallBatch Batch => batch;

    public void Run(IWorkSharer sharer)
    {
        run.Started(batch.Number, batch.Count);
        batch.Sharer = this;
        batch.Execute();
        run.Ended(batch.Failure is not null);
        run.Reporter.Add(new BatchReport(batch.Number, batch.Count, batch.Failure is not null, time.GetElapsedTime(_arrivedAt)));
        batch.Complete();
    }

    public void Share(CallBatch part)
    {
        if (!pool.TrySubmit(new BatchWork(run, part, pool, time)))
        {
            part.Complete();
        }
    }
}
