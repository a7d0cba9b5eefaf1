namespace Orleans.Joblib.Silo;

/// <summary>The way to one silo's workers for coordinators and clients.</summary>
[SlotPlacement]
internal sealed class SiloSlotsGrain(SiloWorkers workers) : Grain, ISiloSlotsGrain
{
    public Task ReserveAsync(Guid run, int slots, TimeSpan lease, IRunObserver? observer, int? innerMaxNumThreads)
    {
        workers.Reserve(run, slots, lease, observer, innerMaxNumThreads);
        return Task.CompletedTask;
    }

    public Task<SiloCheck> CheckAsync(Guid run) => Task.FromResult(workers.Check(run));

    public Task RenewAsync(Guid run)
    {
        workers.Renew(run);
        return Task.CompletedTask;
    }

    public Task ReleaseAsync(Guid run)
    {
        workers.Release(run);
        return Task.CompletedTask;
    }

    public Task<SiloSlots> GetStatusAsync() => Task.FromResult(workers.Status);
}
