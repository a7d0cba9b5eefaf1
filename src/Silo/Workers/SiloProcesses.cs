using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Orleans.Joblib.Silo;

/// <summary>The silo's worker processes: a pool for each program and thread limit, shared by the runs that have it. Thread-safe.</summary>
/// <remarks>The pool whose last run has ended waits for the next for a time: starting processes takes longer than many runs. There is one that waits, not more: it occupies memory.</remarks>
internal sealed class SiloProcesses(IOptions<SiloWorkerOptions> options, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(object Program, int? InnerMaxNumThreads), Entry> _pools = [];
    private readonly TimeSpan _idleTimeout = options.Value.IdleWorkerTimeout;
    private bool _disposed;

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
    /// <param name="program">What the workers are.</param>
    /// <param name="workers">Batches that may be executed at once.</param>
    /// <param name="siloWorkers">The workers of all silos of this process: they share its cores.</param>
    /// <param name="innerMaxNumThreads">Threads that each may use; null for the cores divided by the workers.</param>
    /// <exception cref="JoblibException">The silo has no worker program.</exception>
    internal Share Lease(IWorkerProgram program, int workers, int siloWorkers, int? innerMaxNumThreads)
    {
        var key = (program.Key, innerMaxNumThreads);
        List<Entry> ended = [];
        try
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_pools.TryGetValue(key, out var entry))
                {
                    if (entry.Pool.TryLease(workers, Timeout.InfiniteTimeSpan) is { } lease)
                    {
                        entry.Waiting?.Dispose();
                        entry.Waiting = null;
                        entry.Users++;
                        return new Share(entry, lease);
                    }

                    // Its workers do not start; another try may have better luck. It goes with the runs that have it.
                    _pools.Remove(key);
                    if (entry.Users == 0)
                    {
                        ended.Add(entry);
                    }
                }

                ended.AddRange(TakeWaiting());

                // The pool first: where workers cannot be started nobody would give the hold back.
                var pool = new ProcessPool(program.Settings(WorkerEnvironment.Of(WorkerOrigin.OfSilo, siloWorkers, innerMaxNumThreads), loggers.CreateLogger));
                entry = new Entry(this, key, program.Hold(), pool);
                _pools.Add(key, entry);
                entry.Users++;
                return new Share(entry, entry.Pool.Lease(workers, Timeout.InfiniteTimeSpan));
            }
        }
        finally
        {
            ended.ForEach(End);
        }
    }

    /// <summary>Ends the pools that wait. Runs end theirs.</summary>
    public void Dispose()
    {
        List<Entry> ended;
        lock (_gate)
        {
            _disposed = true;
            ended = TakeWaiting();
        }

        ended.ForEach(End);
    }

    private static void End(Entry entry)
    {
        entry.Waiting?.Dispose();
        entry.Pool.Dispose();
        entry.Hold?.Dispose();
    }

    private void Release(Entry entry)
    {
        List<Entry> ended;
        lock (_gate)
        {
            if (--entry.Users > 0)
            {
                return;
            }

            var isPresent = _pools.TryGetValue(entry.Key, out var present) && ReferenceEquals(present, entry);
            if (isPresent && !_disposed && _idleTimeout > TimeSpan.Zero)
            {
                ended = TakeWaiting();
                entry.Waiting = time.CreateTimer(static entry => ((Entry)entry!).Owner.EndWaiting((Entry)entry), entry, _idleTimeout, Timeout.InfiniteTimeSpan);
            }
            else
            {
                ended = [entry];
                if (isPresent)
                {
                    _pools.Remove(entry.Key);
                }
            }
        }

        ended.ForEach(End);
    }

    private void EndWaiting(Entry entry)
    {
        lock (_gate)
        {
            if (entry.Waiting is null || !ReferenceEquals(_pools.GetValueOrDefault(entry.Key), entry))
            {
                return;
            }

            _pools.Remove(entry.Key);
        }

        End(entry);
    }

    // Called with _gate held.
    private List<Entry> TakeWaiting()
    {
        List<Entry> waiting = [.. _pools.Values.Where(entry => entry.Waiting is not null)];
        waiting.ForEach(entry => _pools.Remove(entry.Key));
        return waiting;
    }

    internal sealed class Entry(SiloProcesses owner, (object Program, int? InnerMaxNumThreads) key, IDisposable? hold, ProcessPool pool)
    {
        internal SiloProcesses Owner => owner;

        internal (object Program, int? InnerMaxNumThreads) Key => key;

        /// <summary>Keeps what workers need that start later.</summary>
        internal IDisposable? Hold => hold;

        internal ProcessPool Pool => pool;

        internal int Users { get; set; }

        /// <summary>Ends it when no run has come by then; null while runs have it.</summary>
        internal ITimer? Waiting { get; set; }
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
