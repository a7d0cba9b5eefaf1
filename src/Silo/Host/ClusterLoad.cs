using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>How busy the whole cluster is: what an autoscaler asks any silo for. Silos that drain do not count.</summary>
/// <param name="Silos">Silos that take batches.</param>
/// <param name="Slots">Their slots.</param>
/// <param name="Busy">Slots that are executing a batch.</param>
/// <param name="Queued">Batches that wait for a slot.</param>
internal sealed record ClusterLoad(int Silos, int Slots, int Busy, int Queued)
{
    // A silo that does not answer in time counts as none: it is being declared dead, or joins.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Batches that execute or wait, per slot: over 1, calls wait for a slot; under it, slots are idle.</summary>
    public double BatchesPerSlot => Slots == 0 ? 0 : (Busy + Queued) / (double)Slots;

    internal static async Task<ClusterLoad> AskAsync(MembershipView membership, IGrainFactory grains)
    {
        var silos = await Task.WhenAll(membership.Members().Active.Select(silo => AskAsync(grains, silo))).ConfigureAwait(false);
        var open = silos.OfType<SiloSlots>().Where(silo => !silo.Draining).ToArray();
        return new ClusterLoad(open.Length, open.Sum(silo => silo.Size), open.Sum(silo => silo.Busy), open.Sum(silo => silo.Queued));
    }

    private static async Task<SiloSlots?> AskAsync(IGrainFactory grains, SiloAddress silo)
    {
        try
        {
            return await grains.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo)).GetStatusAsync().WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OrleansException)
        {
            return null;
        }
    }
}
