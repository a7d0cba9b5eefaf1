using Orleans.Concurrency;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>One slot of one run. Nothing here takes longer than a hand-over to the workers.</summary>
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

    public ValueTask<BatchAnswer> ExecuteAsync(BatchRequest request)
    {
        var answer = workers.Execute(_slot, GrainContext, request);
        GoIfOver();
        return new(answer);
    }

    public ValueTask<BatchAnswer> ExecuteRemoteAsync(RemoteBatchRequest request)
    {
        var answer = workers.Execute(_slot, GrainContext, request);
        GoIfOver();
        return new(answer);
    }

    public ValueTask AbandonAsync(long handle)
    {
        workers.Abandon(handle);
        GoIfOver();
        return ValueTask.CompletedTask;
    }

    // A message that was under way when its run ended wakes the slot's grain up again: nobody else will end it.
    private void GoIfOver()
    {
        if (!workers.Knows(_slot.Run))
        {
            DeactivateOnIdle();
        }
    }
}
