using Orleans.Concurrency;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>One slot of one run. Nothing here takes longer than a hand-over to the workers, or the few milliseconds of an awaited outcome.</summary>
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
        var answer = workers.Execute(_slot, GrainContext, request, out var awaited);
        GoIfOver();
        return awaited is null ? new(answer) : WithOutcomeAsync(answer, awaited);
    }

    public ValueTask AbandonAsync(long handle)
    {
        workers.Abandon(handle);
        GoIfOver();
        return ValueTask.CompletedTask;
    }

    private static async ValueTask<BatchAnswer> WithOutcomeAsync(BatchAnswer answer, RemoteBatchWork awaited) => answer with { Outcome = await awaited.OutcomeAsync().ConfigureAwait(true) };

    // A message that was under way when its run ended wakes the slot's grain up again: nobody else will end it.
    private void GoIfOver()
    {
        if (!workers.Knows(_slot.Run))
        {
            DeactivateOnIdle();
        }
    }
}
