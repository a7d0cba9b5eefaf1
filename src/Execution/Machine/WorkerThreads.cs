namespace Orleans.Joblib;

/// <summary>One worker's thread limit: what its calls start beside it is held to it, as far as that is possible inside a process. For the worker's thread alone.</summary>
/// <param name="pool">The worker's pool; null for a process that is a worker itself.</param>
internal sealed class WorkerThreads(WorkerPool? pool)
{
    [ThreadStatic]
    private static WorkerThreads? _current;

    // Per-thread numbers of libraries as they were before, by the order in which the pools were found.
    private readonly List<int?> _originals = [];
    private ThreadLimit? _limit;
    private CallThreads? _calls;
    private RunScope? _scope;
    private ExecutionContext? _context;
    private int _version = -1;

    /// <summary>Whether libraries are held to the limit for this worker's sake, those that count for the process.</summary>
    private bool Holds { get; set; }

    /// <summary>The calling thread's, where it is a worker's.</summary>
    internal static WorkerThreads? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>Whether there is something to let go of before the worker parks.</summary>
    internal bool HasToLeave => Holds || _scope is not null;

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
        Forget();
        if (Holds)
        {
            Holds = false;
            NativeThreadPools.Release(_limit!.Value);
        }
    }

    /// <summary>The context of a run's calls on this worker, in which they know their cap.</summary>
    internal ExecutionContext ContextOf(RunScope scope)
    {
        if (!ReferenceEquals(scope, _scope))
        {
            Forget();
            _calls = new CallThreads(_limit?.Threads, pool);
            _context = _calls.In(scope.Context);
            _scope = scope;
        }

        return _context!;
    }

    private void Forget()
    {
        _calls?.End();
        _calls = null;
        _scope = null;
        _context = null;
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

        if (limit != _limit || _version != NativeThreadPools.Version)
        {
            Forget();
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
