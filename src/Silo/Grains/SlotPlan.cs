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

    /// <summary>Numbers a plan's slots. Those that stay keep their numbers; new ones take what is free, silo by silo in turn, so that a run that starts with few batches spreads them.</summary>
    internal static SlotGrant[] Number(Dictionary<SiloAddress, int> plan, SlotGrant[] held, Func<SiloAddress, Guid> processOf)
    {
        var slots = new List<SlotGrant>();
        var missing = new List<(int Turn, SiloAddress Silo)>();
        foreach (var (silo, count) in plan)
        {
            var kept = held.Where(slot => slot.Silo.Equals(silo)).Take(count).ToArray();
            slots.AddRange(kept);
            missing.AddRange(Enumerable.Range(kept.Length, count - kept.Length).Select(turn => (turn, silo)));
        }

        var taken = slots.Select(slot => slot.Number).ToHashSet();
        var free = Enumerable.Range(0, int.MaxValue).Where(number => !taken.Contains(number));
        slots.AddRange(missing.OrderBy(place => place.Turn).Zip(free, (place, number) => new SlotGrant(number, place.Silo, processOf(place.Silo))));
        return [.. slots.OrderBy(slot => slot.Number)];
    }
}
