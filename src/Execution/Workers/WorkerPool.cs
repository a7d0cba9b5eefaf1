using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Dedicated threads that execute batches: user code runs here, never on the thread pool or an Orleans scheduler.</summary>
/// <remarks>
/// All shared state is behind <c>_gate</c>. Invariants: at most <see cref="Size"/> workers, and one more for each slot that is lent out, are neither abandoned nor ending; a queued item that is ready (its owner may have more
/// in hand) has a worker awake, or all workers are busy; a worker that was abandoned or outlives the pool ends after the item in its hands. Workers start when work first needs them.
/// </remarks>
internal sealed class WorkerPool : IWorkSharer, IDisposable
{
    // A worker that parks costs its next item two context switches, 10 to 50 µs on a virtual machine; this spin bridges the gap between items of a busy run
    // and is spent once per item at most.
    private const int SpinsBeforeParking = 40;

    private static int _pools;

    [ThreadStatic]
    private static int _lane;

    private readonly object _gate = new();
    private readonly FairQueue<IWorkItem> _queue = new();
    private readonly List<Worker> _workers = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _name;
    private readonly ThreadLimit? _limit;
    private int _capacity;
    private int _queued;
    private int _ready;
    private int _parked;
    private int _busy;
    private int _threads;
    private int _workersNamed;
    private bool _disposed;

    /// <param name="size">Workers, from 1.</param>
    /// <param name="name">What its threads are called.</param>
    /// <param name="limit">The threads that the calls of one worker may use, where an item does not say itself; null for no limit.</param>
    internal WorkerPool(int size, string name, ThreadLimit? limit = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _limit = limit;
        Size = _capacity = size;

        // Numbered over the process: a thread's name tells its silo or loop from another.
        _name = $"{name}-{Interlocked.Increment(ref _pools)}";
    }

    /// <summary>Workers that may run at once.</summary>
    internal int Size { get; }

    /// <summary>The calling worker's number in its pool, from 0; one that takes the place of another has its number. 0 on other threads.</summary>
    internal static int CurrentLane => _lane;

    /// <summary>Completes when the pool is disposed and its last thread has ended.</summary>
    internal Task Ended => _ended.Task;

    internal int BusyCount
    {
        get
        {
            lock (_gate)
            {
                return _busy;
            }
        }
    }

    /// <summary>Whether a worker could take up more: none is queued, and one is idle or not yet started.</summary>
    public bool WantsWork => Volatile.Read(ref _ready) == 0 && Volatile.Read(ref _busy) < Volatile.Read(ref _capacity);

    /// <summary>Workers that have nothing to do, nor will have for what is queued, and that an owner may have on top of what it has.</summary>
    internal int IdleFor(object owner, int mostAtOnce)
    {
        lock (_gate)
        {
            return Math.Max(Math.Min(_capacity - _busy - _ready, mostAtOnce - _queue.AllOf(owner)), 0);
        }
    }

    internal int QueuedCount => Volatile.Read(ref _queued);

    /// <summary>Threads alive, abandoned ones included.</summary>
    internal int ThreadCount
    {
        get
        {
            lock (_gate)
            {
                return _threads;
            }
        }
    }

    /// <summary>Workers that sleep until an item comes.</summary>
    internal int ParkedCount
    {
        get
        {
            lock (_gate)
            {
                return _parked;
            }
        }
    }

    void IWorkSharer.Share(CallBatch part)
    {
        if (!TrySubmit(part))
        {
            part.Complete();
        }
    }

    /// <summary>Queues an item.</summary>
    /// <returns>False when the pool is disposed: the item will not run.</returns>
    internal bool TrySubmit(IWorkItem item)
    {
        Worker? started = null;
        lock (_gate)
        {
            if (_disposed)
            {
                return false;
            }

            var ready = _ready;
            _queue.Enqueue(item);
            Count();
            if (_ready > ready)
            {
                started = Wake();
            }
        }

        started?.Start();
        return true;
    }

    /// <summary>Gives up the worker that is executing an item: its thread ends when the item lets it, and another takes its place now.</summary>
    internal void Abandon(IWorkItem item) => Abandon(current => ReferenceEquals(current, item));

    /// <inheritdoc cref="Abandon(IWorkItem)"/>
    internal void Abandon(Predicate<IWorkItem> isIt)
    {
        Worker? started = null;
        lock (_gate)
        {
            var index = _workers.FindIndex(worker => worker.Current is { } item && isIt(item));
            if (index < 0)
            {
                return;
            }

            var worker = _workers[index];
            worker.Abandoned = true;
            _workers.RemoveAt(index);
            _busy--;
            Account(worker, worker.Current!);
            if (_ready > 0 && !_disposed)
            {
                started = AddWorker();
            }
        }

        started?.Start();
    }

    /// <summary>Takes an owner's queued items out and gives up the workers that are executing its others.</summary>
    /// <returns>The items that never started; their owner completes them.</returns>
    internal IReadOnlyList<IWorkItem> Remove(object owner)
    {
        IReadOnlyList<IWorkItem> removed;
        List<IWorkItem> running;
        lock (_gate)
        {
            removed = _queue.Remove(owner);
            Count();
            running = [.. _workers.Where(worker => worker.Current is { } item && ReferenceEquals(item.Owner, owner)).Select(worker => worker.Current!)];
        }

        foreach (var item in running)
        {
            Abandon(item);
        }

        return removed;
    }

    /// <summary>Some of an owner's queued items; no further than a number.</summary>
    internal int CountQueued(object owner, Predicate<IWorkItem> which, int atMost)
    {
        lock (_gate)
        {
            return _queue.CountOf(owner, which, atMost);
        }
    }

    /// <summary>Takes some of an owner's queued items out, the last that came; the others, and those that workers are executing, go on.</summary>
    /// <returns>The items that were taken out; their owner completes them.</returns>
    internal IReadOnlyList<IWorkItem> RemoveQueued(object owner, Predicate<IWorkItem> which, int atMost = int.MaxValue)
    {
        lock (_gate)
        {
            var removed = _queue.Remove(owner, which, atMost);
            Count();
            return removed;
        }
    }

    /// <inheritdoc cref="End"/>
    public void Dispose() => End();

    /// <summary>Ends idle workers now and busy ones after the item in their hands.</summary>
    /// <returns>The items that were queued; their owner completes them.</returns>
    internal IReadOnlyList<IWorkItem> End()
    {
        lock (_gate)
        {
            _disposed = true;
            var left = _queue.RemoveAll();
            Count();
            Monitor.PulseAll(_gate);
            if (_threads == 0)
            {
                _ended.TrySetResult();
            }

            return left;
        }
    }

    /// <summary>A slot is lent out (1) or comes back (−1): its worker's call waits for a loop that needs this same pool, and would wait for ever if such calls held every worker.</summary>
    internal void ChangeCapacity(int by)
    {
        Worker? started = null;
        lock (_gate)
        {
            _capacity += by;
            if (by > 0 && _ready > _workers.Count - _busy && _workers.Count < _capacity && !_disposed)
            {
                started = AddWorker();
            }
            else if (by < 0 && _parked > 0)
            {
                // A worker too many ends: one that is parked must look.
                Monitor.PulseAll(_gate);
            }
        }

        started?.Start();
    }

    /// <summary>An owner may have more items in hand from now on, or less: the latter as those in hand end.</summary>
    internal void ChangeMostAtOnce(object owner, int mostAtOnce)
    {
        var started = new List<Worker>();
        lock (_gate)
        {
            var ready = _ready;
            _queue.ChangeMostAtOnce(owner, mostAtOnce);
            Count();
            for (; ready < _ready && !_disposed; ready++)
            {
                if (Wake() is { } worker)
                {
                    started.Add(worker);
                }
            }
        }

        started.ForEach(worker => worker.Start());
    }

    // Called with _gate held, as the three after it.
    private void Count() => (_queued, _ready) = (_queue.Count, _queue.Ready);

    /// <summary>One more item is ready.</summary>
    /// <returns>A worker that is to be started for it.</returns>
    private Worker? Wake()
    {
        if (_parked > 0)
        {
            Monitor.Pulse(_gate);
        }

        // A parked worker that was woken a moment ago counts as parked until it has the lock: only the number of idle workers says whether one is missing.
        return _workers.Count < _capacity && _ready > _workers.Count - _busy ? AddWorker() : null;
    }

    private void Account(Worker worker, IWorkItem item)
    {
        _queue.Finished(item.Owner, Stopwatch.GetTimestamp() - worker.TakenAt);
        Count();
    }

    private Worker AddWorker()
    {
        var lane = 0;
        while (_workers.Exists(other => other.Lane == lane))
        {
            lane++;
        }

        var worker = new Worker(this, lane, $"{_name}-{_workersNamed++}");
        _workers.Add(worker);
        _threads++;
        return worker;
    }

    /// <summary>The worker's next item; null when the worker must end.</summary>
    private IWorkItem? Next(Worker worker)
    {
        var spinner = default(SpinWait);
        while (Volatile.Read(ref _ready) == 0 && spinner.Count < SpinsBeforeParking && !Volatile.Read(ref _disposed))
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }

        while (true)
        {
            lock (_gate)
            {
                while (true)
                {
                    if (_disposed || worker.Abandoned || _workers.Count > _capacity)
                    {
                        // From now on nobody counts on it: an item that comes while it ends needs another.
                        _workers.Remove(worker);
                        if (_ready > 0 && _parked > 0)
                        {
                            // What its last item's end has made ready.
                            Monitor.Pulse(_gate);
                        }

                        return null;
                    }

                    if (_queue.TryDequeue(out var item))
                    {
                        Count();
                        _busy++;
                        worker.Current = item;
                        worker.TakenAt = Stopwatch.GetTimestamp();
                        return item;
                    }

                    if (worker.Threads.HasToLeave)
                    {
                        break;
                    }

                    _parked++;
                    Monitor.Wait(_gate);
                    _parked--;
                }
            }

            // Idle: native libraries get back what they had. They are not called under the lock.
            worker.Threads.Leave();
        }
    }

    private void Finish(Worker worker, IWorkItem item)
    {
        lock (_gate)
        {
            worker.Current = null;
            if (!worker.Abandoned)
            {
                _busy--;
                Account(worker, item);
            }
        }
    }

    private void ThreadEnded()
    {
        lock (_gate)
        {
            if (--_threads == 0 && _disposed)
            {
                _ended.TrySetResult();
            }
        }
    }

    private sealed class Worker(WorkerPool pool, int lane, string name)
    {
        internal WorkerPool Pool => pool;

        internal int Lane => lane;

        internal IWorkItem? Current { get; set; }

        internal long TakenAt { get; set; }

        internal bool Abandoned { get; set; }

        internal WorkerThreads Threads { get; } = new(pool);

        internal void Start() => new Thread(Loop) { Name = name, IsBackground = true }.UnsafeStart();

        private void Loop()
        {
            WorkerThreads.Current = Threads;
            _lane = lane;
            while (RunNext())
            {
            }

            Threads.Leave();
            pool.ThreadEnded();
        }

        // A method of its own, so that a parked worker's stack does not hold its last item, and with it a whole run.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private bool RunNext()
        {
            if (pool.Next(this) is not { } item)
            {
                return false;
            }

            Threads.Enter(item.Limit ?? pool._limit, TakenAt);
            item.Run(pool);
            pool.Finish(this, item);
            return true;
        }
    }
}
