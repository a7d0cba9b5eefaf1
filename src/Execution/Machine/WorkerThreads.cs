namespace Orleans.Joblib;

/// <summary>One worker's thread limit: what its calls start beside it is held to it, as far as that is possible inside a process. For the worker's thread alone.</summary>
internal sealed class WorkerThreads
{
    // Per-thread numbers of libraries as they were before, by the order in which the pools were found.
    private readonly List<int?> _originals = [];
    private ThreadLimit? _limit;
    private CallThreads? _calls;
    private RunScope? _scope;
    private ExecutionContext? _context;
    private int _version = -1;

    /// <summary>Whether libraries are held to the limit for this worker's sake, those that count for the process.</summary>
    internal bool Holds { get; private set; }

    /// <summary>The worker takes up an item.</summary>
    internal void Enter(ThreadLimit? limit, long now)
    {
        NativeThreadPools.Look(now);
        if (limit == _limit && Holds == limit.HasValue && _version == NativeThreadPools.Version)
        {
            return;
        }

        Change(limit);
    }

    /// <summary>A call took long enough to have loaded a library: the next one is held to the limit in it.</summary>
    internal void Refresh(long now) => Enter(_limit, now);

    /// <summary>The worker has nothing to do, or ends.</summary>
    internal void Leave()
    {
        // A parked worker must not hold its last run.
        _scope = null;
        _context = null;
        if (Holds)
        {
            Holds = false;
            NativeThreadPools.Release(_limit!.Value);
        }
    }

    /// <summary>The context of a run's calls on this worker, in which they know their cap.</summary>
    internal ExecutionContext ContextOf(RunScope scope)
    {
        if (_calls is not { } calls)
        {
            return scope.Context;
        }

        if (!ReferenceEquals(scope, _scope))
        {
            _context = calls.In(scope.Context);
            _scope = scope;
        }

        return _context!;
    }

    private void Change(ThreadLimit? limit)
    {
        if (!Holds || limit != _limit)
        {
            // The new one first: a number that stays is not set twice.
            if (limit is { } wanted)
            {
                NativeThreadPools.Hold(wanted);
            }

            Leave();
            Holds = limit.HasValue;
        }

        if (limit != _limit)
        {
            _calls = limit is { } given ? new CallThreads(given.Threads) : null;
        }

        if (limit != _limit || _version != NativeThreadPools.Version)
        {
            _limit = limit;
            _version = NativeThreadPools.Version;
            SetOwn();
        }
    }

    private void SetOwn()
    {
        var pools = NativeThreadPools.All;
        for (var i = 0; i < pools.Count; i++)
        {
            var pool = pools[i];
            if (i == _originals.Count)
            {
                _originals.Add(pool.IsPerThread ? pool.Threads : null);
            }

            if (_originals[i] is not { } original)
            {
                continue;
            }

            var threads = _limit is { } limit ? NativeThreadPools.Threads(pool, original, limit) : original;
            if (pool.Threads != threads)
            {
                pool.Set(threads);
            }
        }
    }
}
