using Orleans.Concurrency;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>One slot of one run. Reentrant: while a batch is with the workers the next is already here, and nothing here takes longer than a hand-over.</summary>
[SlotPlacement]
[Reentrant]
internal sealed class BatchGrain(SiloWorkers workers) : Grain, IBatchGrain
{
    private SlotKey _slot;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _slot = SlotKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public ValueTask<BatchAnswer> ExecuteAsync(BatchRequest request) => workers.ExecuteAsync(_slot, GrainContext, request);

    public ValueTask AbandonAsync(long handle)
    {
        workers.Abandon(_slot.Run, handle);
        return ValueTask.CompletedTask;
    }
}
