namespace Orleans.Joblib;

/// <summary>The process pool that all loops of this program share. loky: <c>get_reusable_executor</c>.</summary>
/// <remarks>
/// When workers would have to be made otherwise than they were, another pool takes its place, and the old one ends with its last loop. Until then a loop that would have made
/// the old one gets it again: loops alike never have two sets of workers.
/// </remarks>
internal static class ReusablePool
{
    private static readonly Lock Gate = new();

    // Those that loops have, and the present one, which is the last.
    private static readonly List<(PoolSettings Settings, ProcessPool Pool)> Pools = [];

    /// <summary>The present pool's processes; empty when there is none.</summary>
    internal static IReadOnlyList<int> ProcessIds
    {
        get
        {
            lock (Gate)
            {
                return Pools is [.., var present] ? present.Pool.ProcessIds : [];
            }
        }
    }

    /// <summary>A share of the pool whose workers are made so, and which is the present one from now on.</summary>
    internal static PoolLease Lease(PoolSettings settings, int workers, TimeSpan idleTimeout)
    {
        lock (Gate)
        {
            var index = Pools.FindIndex(pool => pool.Settings.MakesTheSame(settings));
            var found = index < 0 ? default : Pools[index];
            var lease = found.Pool?.TryLease(workers, idleTimeout);
            if (index >= 0)
            {
                Pools.RemoveAt(index);
            }

            if (lease is null)
            {
                found.Pool?.RetireWhenFree();
                found = (settings, new ProcessPool(settings));
                lease = found.Pool.Lease(workers, idleTimeout);
            }

            foreach (var (_, other) in Pools)
            {
                other.RetireWhenFree();
            }

            Pools.RemoveAll(pool => pool.Pool.IsEnding);
            Pools.Add(found);
            return lease;
        }
    }
}
