namespace Orleans.Joblib.Silo;

/// <summary>The way to one silo's workers for coordinators and clients.</summary>
[SlotPlacement]
internal sealed class SiloSlotsGrain(SiloWorkers workers) : Grain, ISiloSlotsGrain
{
    public Task<bool> ReserveAsync(Guid run, int slots, TimeSpan lease, IRunObserver? observer, int? innerMaxNumThreads, bool inProcesses, RunRuntime? runtime) =>
        Task.FromResult(workers.TryReserve(run, slots, lease, observer, innerMaxNumThreads, inProcesses, runtime));

    public Task<SiloCheck> CheckAsync(Guid run) => Task.FromResult(workers.Check(run));

    public Task RenewAsync(Guid run)
    {
        workers.Renew(run);
        return Task.CompletedTask;
    }

    public Task RecallAsync(Guid run, int batches)
    {
        workers.Recall(run, batches, SlotKey.SiloOf(this.GetPrimaryKeyString()));
        return Task.CompletedTask;
    }

    public Task ReleaseAsync(Guid run, bool forGood)
    {
        workers.Release(run, forGood);
        return Task.CompletedTask;
    }

    public Task<SiloSlots> GetStatusAsync() => Task.FromResult(workers.Status);
}
