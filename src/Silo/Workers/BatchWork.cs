namespace Orleans.Joblib.Silo;

/// <summary>A batch in a silo's worker pool. The worker that executed it tells the batch's run at once: no message stands between an outcome and its caller.</summary>
internal sealed class BatchWork(SiloRun run, CallBatch batch, TimeProvider time) : IWorkItem
{
    private readonly long _arrivedAt = time.GetTimestamp();

    public object Owner => run;

    internal CallBatch Batch => batch;

    public void Run()
    {
        JoblibInstruments.SlotTaken();
        batch.Execute();
        JoblibInstruments.SlotFreed();
        run.Reporter.Add(new BatchReport(batch.Number, batch.Count, batch.Failure is not null, time.GetElapsedTime(_arrivedAt)));
        batch.Complete();
    }
}
