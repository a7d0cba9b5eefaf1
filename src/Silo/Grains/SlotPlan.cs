using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>Which silos give a run its slots: those with the most free workers first, one at a time, never more than a silo has workers.</summary>
internal static class SlotPlan
{
    internal static Dictionary<SiloAddress, int> Make(IReadOnlyDictionary<SiloAddress, SiloSlots> silos, int requested)
    {
        var total = silos.Values.Sum(slots => slots.Size);
        var wanted = requested == RunRequest.AllSlots ? total : Math.Min(requested, total);
        var plan = new Dictionary<SiloAddress, int>();

        // The queue gives the least first: busy workers and slots given so far, less workers. Ties go to the address, so that plans are reproducible.
        var queue = new PriorityQueue<SiloAddress, (int Load, SiloAddress Silo)>();
        foreach (var (silo, slots) in silos)
        {
            if (slots.Size > 0)
            {
                queue.Enqueue(silo, (slots.Granted - slots.Size, silo));
            }
        }

        for (var given = 0; given < wanted && queue.TryDequeue(out var silo, out var priority); given++)
        {
            var count = plan.GetValueOrDefault(silo) + 1;
            plan[silo] = count;
            if (count < silos[silo].Size)
            {
                queue.Enqueue(silo, (priority.Load + 1, silo));
            }
        }

        return plan;
    }
}
