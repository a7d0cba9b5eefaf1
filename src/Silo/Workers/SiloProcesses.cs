using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>The silo's worker processes: a pool for each code set and thread limit, shared by the runs that have it, gone with the last of them. Thread-safe.</summary>
internal sealed class SiloProcesses(ILoggerFactory loggers)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(CodeContext Code, int? InnerMaxNumThreads), Entry> _pools = [];

    /// <summary>Worker processes that there are.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _pools.Values.Sum(entry => entry.Pool.ProcessIds.Count);
            }
        }
    }

    /// <summary>Gives a run workers.</summary>
    /// <param name="code">Its code set, in use.</param>
    /// <param name="codec">Of that code set.</param>
    /// <param name="workers">Batches that may be executed at once.</param>
    /// <param name="siloWorkers">The workers of all silos of this process: they share its cores.</param>
    /// <param name="innerMaxNumThreads">Threads that each may use; null for the cores divided by the workers.</param>
    /// <exception cref="JoblibException">The silo has no worker program.</exception>
    internal Share Lease(CodeLease code, PayloadCodec codec, int workers, int siloWorkers, int? innerMaxNumThreads)
    {
        var key = (code.Context, innerMaxNumThreads);
        lock (_gate)
        {
            if (!_pools.TryGetValue(key, out var entry) || entry.Pool.IsBroken)
            {
                if (entry is not null)
                {
                    // Its workers do not start; another try may have better luck. It goes with the runs that have it.
                    _pools.Remove(key);
                }

                entry = new Entry(this, key, code.Share(), new ProcessPool(new PoolSettings
                {
                    Command = WorkerCommand.OfThisProgram,
                    Environment = WorkerEnvironment.Of(WorkerOrigin.OfSilo, siloWorkers, innerMaxNumThreads),
                    Code = key.Context,
                    Decoder = codec.Decoder,
                    Loggers = loggers.CreateLogger,
                }));
                _pools.Add(key, entry);
            }

            entry.Users++;
            return new Share(entry, entry.Pool.Lease(workers, Timeout.InfiniteTimeSpan));
        }
    }

    private void Release(Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Users > 0)
            {
                return;
            }

            if (_pools.TryGetValue(entry.Key, out var present) && ReferenceEquals(present, entry))
            {
                _pools.Remove(entry.Key);
            }
        }

        entry.Pool.Dispose();
        entry.Code.Dispose();
    }

    internal sealed class Entry(SiloProcesses owner, (CodeContext Code, int? InnerMaxNumThreads) key, CodeLease code, ProcessPool pool)
    {
        internal SiloProcesses Owner => owner;

        internal (CodeContext Code, int? InnerMaxNumThreads) Key => key;

        /// <summary>Keeps the code set's files in the cache for workers that start later.</summary>
        internal CodeLease Code => code;

        internal ProcessPool Pool => pool;

        internal int Users { get; set; }
    }

    /// <summary>One run's right to workers.</summary>
    internal sealed class Share(Entry entry, PoolLease lease)
    {
        internal PoolLease Lease => lease;

        /// <summary>Gives the right back. What waits is dropped at once; calls that run are told, and their process is killed when they have not ended a moment later.</summary>
        internal async Task EndAsync()
        {
            try
            {
                await lease.AbortAsync().ConfigureAwait(false);
            }
            finally
            {
                lease.Dispose();
                entry.Owner.Release(entry);
            }
        }
    }
}
