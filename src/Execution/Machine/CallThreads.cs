namespace Orleans.Joblib;

/// <summary>
/// What the calls of one run have on one worker: the worker's slot, the threads that they may use, and those that they have started through <see cref="CallTaskScheduler"/>.
/// Known wherever the context of a call flows: in its tasks, and in loops inside it.
/// </summary>
/// <param name="cap">Threads that the calls may use, the worker's own included; null for no limit.</param>
/// <param name="pool">The worker's pool; null in a process that is a worker itself.</param>
internal sealed class CallThreads(int? cap, WorkerPool? pool)
{
    private static readonly AsyncLocal<CallThreads?> Ambient = new();

    private readonly Lock _gate = new();
    private CallThreads? _outer;
    private int _started;
    private int _borrowers;
    private bool _ended;

    /// <summary>Those of the surrounding call; null outside of calls that workers of this process make.</summary>
    internal static CallThreads? Current => Ambient.Value;

    internal int? Cap => cap;

    /// <summary>Whether the worker is a thread beside others of its process.</summary>
    internal bool IsOfPool => pool is not null;

    /// <summary>The asking thread's own, which counts among those in use, and the free ones.</summary>
    internal int Available => cap is { } threads ? Math.Max(1, threads - Volatile.Read(ref _started)) : int.MaxValue;

    internal void Started() => Interlocked.Increment(ref _started);

    internal void Ended() => Interlocked.Decrement(ref _started);

    /// <summary>A context as another, in which these are <see cref="Current"/>.</summary>
    internal ExecutionContext In(ExecutionContext context)
    {
        ExecutionContext? made = null;
        ExecutionContext.Run(
            context,
            _ =>
            {
                _outer = Ambient.Value;
                Ambient.Value = this;
                made = ExecutionContext.Capture();
            },
            null);
        return made!;
    }

    /// <summary>The worker makes other calls now: what is left of these has no slot to lend.</summary>
    internal void End()
    {
        lock (_gate)
        {
            _ended = true;
        }
    }

    /// <summary>
    /// Lends the slots of the surrounding calls out until disposed, of the calls around those too: a loop on threads inside a call on a cluster may itself need the cluster.
    /// Null where there are none.
    /// </summary>
    internal static IDisposable? Lend()
    {
        List<CallThreads>? lent = null;
        for (var calls = Current; calls is not null; calls = calls._outer)
        {
            if (calls.TryBorrow())
            {
                (lent ??= []).Add(calls);
            }
        }

        return lent is null ? null : new Loan(lent);
    }

    // Two loops of one call borrow its slot once.
    private bool TryBorrow()
    {
        lock (_gate)
        {
            if (_ended || pool is null)
            {
                return false;
            }

            if (_borrowers++ == 0)
            {
                pool.ChangeCapacity(by: 1);
            }

            return true;
        }
    }

    private void GiveBack()
    {
        lock (_gate)
        {
            if (--_borrowers == 0)
            {
                pool!.ChangeCapacity(by: -1);
            }
        }
    }

    private sealed class Loan(List<CallThreads> lent) : IDisposable
    {
        private List<CallThreads>? _lent = lent;

        public void Dispose() => Interlocked.Exchange(ref _lent, null)?.ForEach(calls => calls.GiveBack());
    }
}
