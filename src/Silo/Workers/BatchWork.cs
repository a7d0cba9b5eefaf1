namespace Orleans.Joblib.Silo;

/// <summary>A batch in a silo's worker pool. Its answer is set once, by the worker that executed it or by whoever took it from the worker.</summary>
internal sealed class BatchWork(SiloRun run, CallBatch batch) : IWorkItem
{
    // The answer's continuations are the batch grain's turn: never on a worker, never on the thread that ends a run.
    private readonly TaskCompletionSource<BatchStatus> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public object Owner => run;

    internal Task<BatchStatus> Answer => _answer.Task;

    internal CallBatch Batch => batch;

    public void Run()
    {
        JoblibInstruments.SlotTaken();
        batch.Execute();
        JoblibInstruments.SlotFreed();
        _answer.TrySetResult(BatchStatus.Executed);
    }

    internal void End(BatchStatus status) => _answer.TrySetResult(status);
}
