namespace Orleans.Joblib;

/// <summary>The process pool that all loops of this program share. loky: <c>get_reusable_executor</c>.</summary>
internal static class ReusablePool
{
    private static readonly Lock Gate = new();
    private static PoolSettings? _settings;
    private static ProcessPool? _pool;

    /// <summary>The shared pool's present processes; empty when there is none.</summary>
    internal static IReadOnlyList<int> ProcessIds
    {
        get
        {
            lock (Gate)
            {
                return _pool?.ProcessIds ?? [];
            }
        }
    }

    /// <summary>A share of the pool. When workers would have to be made otherwise than they were, another pool takes its place, and the old one ends with its last loop.</summary>
    internal static PoolLease Lease(PoolSettings settings, int workers, TimeSpan idleTimeout)
    {
        lock (Gate)
        {
            if (_pool is null || _pool.IsBroken || !_settings!.MakesTheSame(settings))
            {
                _pool?.RetireWhenFree();
                _settings = settings;
                _pool = new ProcessPool(settings);
            }

            return _pool.Lease(workers, idleTimeout);
        }
    }
}
