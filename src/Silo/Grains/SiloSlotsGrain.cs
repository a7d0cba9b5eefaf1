namespace Orleans.Joblib.Silo;

/// <summary>The way to one silo's workers for coordinators and clients.</summary>
[SlotPlacement]
internal sealed class SiloSlotsGrain(SiloWorkers workers) : Grain, ISiloSlotsGrain
{
    public Task ReserveAsync(Guid run, int slots, TimeSpan lease)
    {
        workers.Reserve(run, slots, lease);
        return Task.CompletedTask;
    }

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
