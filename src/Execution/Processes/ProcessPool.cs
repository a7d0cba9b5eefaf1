using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>Worker processes that execute batches for whoever holds a lease.</summary>
/// <remarks>
/// <para>All shared state is behind <c>_gate</c>. Each worker has at most two batches: one that it executes and one that waits there, so that the pipe hides behind
/// compute. When a worker has nothing to do, a batch that waits elsewhere behind a call that takes longer is asked back.</para>
/// <para>Invariants: work is in the queue, or in the hands of one worker, or waits at its lease, or has ended; a worker that is gone has nothing in its hands.
/// Frames for a worker are queued under the lock, which gives their order, and sent outside of it.</para>
/// </remarks>
internal sealed partial class ProcessPool : IDisposable
{
    private const int MostInHand = 2;
    private const int MostDeaths = 3;
    private const int MostFailedStarts = 3;

    // More that start at once would only slow each other down: a start is all CPU.
    private static readonly int MostStarting = Math.Max(2, Environment.ProcessorCount);

    // An abort takes no longer than both and the kill: less than a second. On a quiet machine the first is over at once.
    private static readonly TimeSpan TellPatience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan AbortGrace = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan KillPatience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ResultsPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RecallAfter = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan EndRunLatest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan StandstillPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly PoolSettings _settings;
    private readonly FairQueue<PoolWork> _queue = new();
    private readonly List<PoolWorker> _workers = [];
    private readonly List<PoolLease> _leases = [];
    private readonly List<Telling> _tellings = [];
    private readonly Timer _watch;
    private readonly Timer _recall;
    private readonly Timer _later;
    private int _capacity;
    private int _failedStarts;
    private TimeSpan _idleTimeout = PoolSettings.DefaultIdleTimeout;
    private Exception? _broken;
    private bool _recallArmed;
    private bool _laterArmed;
    private bool _retired;
    private bool _ending;
    private bool _disposed;

    internal ProcessPool(PoolSettings settings)
    {
        _settings = settings;
        _watch = new Timer(static pool => ((ProcessPool)pool!).Watch(), this, WatchPeriod, WatchPeriod);
        ArrayStores.Reclaiming += Reclaim;
        _later = new Timer(static pool => ((ProcessPool)pool!).FlushLate(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _recall = new Timer(static pool => ((ProcessPool)pool!).RecallDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    // The program may have another one by now than when the pool was made.
    private ILogger Log => _settings.Loggers("Orleans.Joblib");

    /// <summary>Whether it gives no workers any more.</summary>
    internal bool IsEnding
    {
        get
        {
            lock (_gate)
            {
                return _ending || _disposed;
            }
        }
    }

    /// <summary>Whether it cannot start workers any more.</summary>
    internal bool IsBroken
    {
        get
        {
            lock (_gate)
            {
                return _broken is not null;
            }
        }
    }

    /// <summary>The processes of its workers, those that are starting included.</summary>
    internal IReadOnlyList<int> ProcessIds
    {
        get
        {
            lock (_gate)
            {
                return [.. _workers.Where(worker => worker.Process is not null).Select(worker => worker.Process!.Id)];
            }
        }
    }

    /// <summary>Gives a loop the right to workers, and starts them unless they are there.</summary>
    /// <param name="workers">Batches that may be executed at once, from 1.</param>
    /// <param name="idleTimeout">Workers end when they have had nothing to do for so long; the latest lease decides.</param>
    /// <exception cref="ObjectDisposedException">It gives none.</exception>
    internal PoolLease Lease(int workers, TimeSpan idleTimeout) => TryLease(workers, idleTimeout) ?? throw new ObjectDisposedException(nameof(ProcessPool));

    /// <summary>As <see cref="Lease"/>; a pool that was to end with its last lease stays.</summary>
    /// <returns>Null when it gives no workers any more, or cannot start them: another pool may have better luck.</returns>
    internal PoolLease? TryLease(int workers, TimeSpan idleTimeout)
    {
        var lease = new PoolLease(this, workers, WorkerLog.LeastLevel(Log));
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            if (_broken is not null || _ending || _disposed)
            {
                return null;
            }

            _retired = false;
            _leases.Add(lease);
            _idleTimeout = idleTimeout;
            _capacity = _leases.Max(other => other.Workers);
            Shrink(outbox);
            while (_workers.Count < _capacity && _workers.Count(worker => !worker.IsReady) < MostStarting)
            {
                AddWorker();
            }
        }

        Flush(outbox);
        return lease;
    }

    /// <summary>Gives a lease more workers, where it has fewer.</summary>
    internal void Widen(PoolLease lease, int workers)
    {
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            if (lease.IsEnded || lease.Workers >= workers)
            {
                return;
            }

            lease.Workers = workers;
            _capacity = Math.Max(_capacity, workers);
            Place(outbox);
        }

        Flush(outbox);
    }

    internal void Submit(PoolWork work)
    {
        var outbox = new List<WorkerProcess>(1);
        Exception? broken;
        lock (_gate)
        {
            broken = _disposed || work.Lease.IsEnded ? new ObjectDisposedException(nameof(ProcessPool), "The worker processes of this loop have ended.") : _broken;
            if (broken is null && !work.IsUnwanted)
            {
                work.Lease.Works.Add(work);
                work.Lease.Waiting.Enqueue(work);
                Place(outbox);
            }
        }

        Flush(outbox);
        if (broken is not null)
        {
            work.Fail(broken);
        }
        else if (work.IsUnwanted)
        {
            // If an abort came first it has not seen this; if it comes now it drops this, too.
            work.Drop();
        }
    }

    internal void BeginRun(PoolLease lease, ArraySettings arrays)
    {
        lock (_gate)
        {
            lease.Arrays = arrays;
        }
    }

    internal void EndRun(PoolLease lease)
    {
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            EndRun(lease, outbox);
        }

        Flush(outbox);
    }

    internal async Task AbortAsync(PoolLease lease)
    {
        var outbox = new List<WorkerProcess>();
        List<PoolWork> dropped;
        TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Telling telling;
        lock (_gate)
        {
            var ended = lease.Id;
            lease.Id = PoolLease.NewId();
            dropped = [.. lease.Works];
            lease.Works.Clear();
            lease.Waiting.Clear();
            lease.InPool -= _queue.Remove(lease).Count;
            telling = new Telling(ended);
            foreach (var worker in _workers)
            {
                var hasWork = worker.InHand.Any(work => work.Lease == lease);
                if (worker.Runs.Remove(ended) || hasWork)
                {
                    Send(worker, BatchFrames.EndRun(ended, answers: true), outbox);
                }

                if (hasWork)
                {
                    telling.Add(worker);
                }
            }

            _tellings.Add(telling);
            lease.Drained = drained;
            TellDrained(lease);
        }

        Flush(outbox);
        foreach (var work in dropped)
        {
            work.Drop();
        }

        // Calls that watch their token, or are nearly done, leave their worker whole.
        await Task.WhenAny(drained.Task, GraceAsync(telling)).ConfigureAwait(false);
        List<PoolWorker> stuck;
        lock (_gate)
        {
            _tellings.Remove(telling);
            lease.Drained = null;
            stuck = [.. _workers.Where(worker => worker.InHand.TryPeek(out var head) && head.Lease == lease && !lease.Works.Contains(head))];
            foreach (var worker in stuck)
            {
                Abandon(worker);
            }

            Place(outbox);
        }

        await Task.WhenAll(stuck.Select(worker => worker.Process!.Ending)).WaitAsync(KillPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    internal void Release(PoolLease lease)
    {
        bool ends;
        List<PoolWork> left;
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            if (lease.IsEnded)
            {
                return;
            }

            lease.IsEnded = true;
            left = [.. lease.Works];
            lease.Works.Clear();
            lease.Waiting.Clear();
            lease.InPool -= _queue.Remove(lease).Count;
            _leases.Remove(lease);

            // The last one leaves its workers to the next.
            _capacity = _leases.Count == 0 ? _capacity : _leases.Max(other => other.Workers);
            ends = _ending = _retired && _leases.Count == 0;
            foreach (var worker in _workers.Where(worker => worker.InHand.TryPeek(out var head) && head.Lease == lease).ToList())
            {
                Abandon(worker);
            }

            EndRun(lease, outbox);
            Place(outbox);
        }

        Flush(outbox);
        foreach (var work in left)
        {
            work.Drop();
        }

        if (ends)
        {
            Dispose();
        }
    }

    /// <summary>Ends it when the leases that it has are over.</summary>
    internal void RetireWhenFree()
    {
        lock (_gate)
        {
            _retired = true;
            if (_leases.Count > 0)
            {
                return;
            }

            _ending = true;
        }

        Dispose();
    }

    /// <summary>Ends all workers: idle ones end by themselves, busy ones are killed.</summary>
    public void Dispose()
    {
        var outbox = new List<WorkerProcess>();
        List<PoolWork> left;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            left = [.. _leases.SelectMany(lease => lease.Works)];
            foreach (var worker in _workers.ToList())
            {
                if (worker.IsIdle)
                {
                    Retire(worker, outbox);
                }
                else
                {
                    Abandon(worker);
                }
            }
        }

        ArrayStores.Reclaiming -= Reclaim;
        _watch.Dispose();
        _recall.Dispose();
        _later.Dispose();
        Flush(outbox);
        foreach (var work in left)
        {
            work.Drop();
        }
    }

    // A busy machine may take long to tell a call; what it has from then on is its own time.
    private static async Task GraceAsync(Telling telling)
    {
        await Task.WhenAny(telling.Told, Task.Delay(TellPatience)).ConfigureAwait(false);
        await Task.Delay(AbortGrace).ConfigureAwait(false);
    }

    private static void Flush(List<WorkerProcess> outbox)
    {
        foreach (var process in outbox)
        {
            process.Flush();
        }
    }

    private static void Send(PoolWorker worker, Frame frame, List<WorkerProcess> outbox)
    {
        worker.Process!.Enqueue(frame);
        outbox.Add(worker.Process);
    }

    // Called with _gate held.
    private void EndRun(PoolLease lease, List<WorkerProcess> outbox)
    {
        foreach (var worker in _workers.Where(worker => worker.Runs.Remove(lease.Id)))
        {
            worker.Process!.Enqueue(BatchFrames.EndRun(lease.Id, answers: false));
            if (lease.UsesArrays)
            {
                outbox.Add(worker.Process);
            }
            else if (!_laterArmed)
            {
                // It goes with the next run's first batch: a message of its own would be in that one's way, on a processor that both need.
                _laterArmed = true;
                _later.Change(EndRunLatest, Timeout.InfiniteTimeSpan);
            }
        }

        lease.UsesArrays = false;
        lease.Arrays = null;
        lease.Id = PoolLease.NewId();
    }

    // Called with _gate held. Where the pool is larger than a lease's share, the lease keeps back what exceeds it.
    private void Admit(PoolLease lease)
    {
        var most = Math.Max(_capacity, _workers.Count) > lease.Workers ? lease.Workers : int.MaxValue;
        while (lease.InPool < most && lease.Waiting.TryDequeue(out var work))
        {
            lease.InPool++;
            _queue.Enqueue(work);
        }
    }

    // Called with _gate held, after whatever has changed: it is the one place where work that waits moves on.
    private void Place(List<WorkerProcess> outbox)
    {
        if (_disposed)
        {
            return;
        }

        _leases.ForEach(Admit);
        Shrink(outbox);
        while (_queue.Count > 0 && FindPlace() is { } worker)
        {
            _queue.TryDequeue(out var work);
            SendBatch(worker, work, outbox);
        }

        // Work that waits behind other work wants a worker too. A pool that starts none any more still owes an answer to what its last worker left behind: it tries once more, and fails with it.
        var wanted = _queue.Count + _workers.Sum(worker => worker.InHand.Count);
        while (_workers.Count < _capacity && _workers.Count < wanted && (_broken is null || _workers.Count == 0) && _workers.Count(worker => !worker.IsReady) < MostStarting)
        {
            AddWorker();
        }

        RecallSome(outbox);
    }

    // Called with _gate held. No more workers than the loops that there are asked for: those that still start go first, those that are busy when they are not.
    private void Shrink(List<WorkerProcess> outbox)
    {
        while (_workers.Count > _capacity && (_workers.FindLast(worker => !worker.IsReady) ?? _workers.FindLast(worker => worker.IsIdle)) is { } surplus)
        {
            if (surplus.IsReady)
            {
                Retire(surplus, outbox);
            }
            else
            {
                Abandon(surplus);
            }
        }
    }

    private PoolWorker? FindPlace()
    {
        PoolWorker? busy = null;
        PoolWorker? fresh = null;
        foreach (var worker in _workers)
        {
            if (!worker.IsReady || worker.IsLeaving || worker.Batches >= (_settings.MaxBatchesPerWorker ?? int.MaxValue))
            {
                continue;
            }

            if (worker.InHand.Count == 0)
            {
                if (worker.Batches > 0)
                {
                    // One that has worked has its code compiled.
                    return worker;
                }

                fresh ??= worker;
            }
            else if (worker.InHand.Count < MostInHand && (busy is null || worker.HeadSince < busy.HeadSince))
            {
                busy = worker;
            }
        }

        return fresh ?? busy;
    }

    private void SendBatch(PoolWorker worker, PoolWork work, List<WorkerProcess> outbox)
    {
        foreach (var frame in _settings.Code.FramesFrom(ref worker.CodeSent))
        {
            Send(worker, frame, outbox);
        }

        if (worker.InHand.Count == 0)
        {
            worker.HeadSince = Stopwatch.GetTimestamp();
        }

        if (work.Lease.Arrays is { } arrays && worker.Runs.Add(work.Lease.Id))
        {
            worker.HasHadArrays = true;
            Send(worker, BatchFrames.Run(work.Lease.Id, arrays), outbox);
        }

        work.Lease.UsesArrays |= work.NamesArrays;
        worker.Batches++;
        worker.InHand.Enqueue(work);
        Send(worker, BatchFrames.Of(work), outbox);
    }

    // Called with _gate held: an idle worker takes over what waits behind a batch that runs longer.
    private void RecallSome(List<WorkerProcess> outbox)
    {
        if (_queue.Count > 0)
        {
            return;
        }

        var idle = _workers.Count(worker => worker.IsIdle) - _workers.Count(worker => worker.HasRecalled);
        var later = false;
        for (var i = 0; i < _workers.Count && idle > 0; i++)
        {
            var worker = _workers[i];
            if (worker.InHand.Count < MostInHand || worker.InHand.Last() is not { Recalled: false } waiting)
            {
                continue;
            }

            if (Stopwatch.GetElapsedTime(worker.HeadSince) < RecallAfter)
            {
                later = true;
                continue;
            }

            waiting.Recalled = true;
            idle--;
            Send(worker, Frame.Of(FrameKind.Recall, writer => writer.WriteRaw(waiting.Request.Handle)), outbox);
        }

        if (later && !_recallArmed)
        {
            _recallArmed = true;
            _recall.Change(RecallAfter, Timeout.InfiniteTimeSpan);
        }
    }

    private void RecallDue()
    {
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            _recallArmed = false;
            if (!_disposed)
            {
                RecallSome(outbox);
            }
        }

        Flush(outbox);
    }

    private void FlushLate()
    {
        WorkerProcess[] processes;
        lock (_gate)
        {
            _laterArmed = false;
            processes = [.. _workers.Where(worker => worker.IsReady).Select(worker => worker.Process!)];
        }

        foreach (var process in processes)
        {
            process.Flush();
        }
    }

    // Called with _gate held.
    private void AddWorker()
    {
        var worker = new PoolWorker(this);
        _workers.Add(worker);
        ThreadPool.UnsafeQueueUserWorkItem(static worker => worker.Pool.Start(worker), worker, preferLocal: false);
    }

    private void Start(PoolWorker worker)
    {
        lock (_gate)
        {
            if (_disposed || worker.IsLeaving)
            {
                _workers.Remove(worker);
                return;
            }
        }

        WorkerProcess process;
        try
        {
            process = WorkerProcess.Start(_settings.Command, _settings.Environment, worker);
        }
        catch (Exception exception)
        {
            lock (_gate)
            {
                _workers.Remove(worker);
            }

            NotStarted(exception, isFinal: false);
            return;
        }

        lock (_gate)
        {
            worker.Process = process;
            process.Enqueue(BatchFrames.Setup(_settings));
            if (_settings.Initializer is { } initializer)
            {
                foreach (var frame in _settings.Code.FramesFrom(ref worker.CodeSent))
                {
                    process.Enqueue(frame);
                }

                process.Enqueue(Frame.Of(FrameKind.Initialize, null, initializer));
            }

            if (_disposed || worker.IsLeaving)
            {
                process.Kill();
            }
        }

        process.Listen();
        process.Flush();
    }

    /// <summary>A worker did not come up: what waits fails when none is left, or when none ever will.</summary>
    private void NotStarted(Exception exception, bool isFinal)
    {
        List<PoolWork> failed;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _failedStarts++;
            if (!isFinal && (_workers.Any(worker => worker.IsReady) || _failedStarts < MostFailedStarts))
            {
                ProcessLog.StartFailed(Log, exception);
                failed = [];
                if (_failedStarts >= MostFailedStarts)
                {
                    // The system gives no more processes: those that are there do the work.
                    _capacity = _workers.Count;
                }
            }
            else
            {
                _broken = exception;
                failed = [];
                foreach (var lease in _leases)
                {
                    var queued = _queue.Remove(lease);
                    lease.InPool -= queued.Count;
                    failed.AddRange([.. queued, .. lease.Waiting]);
                    lease.Waiting.Clear();
                    lease.Works.ExceptWith(failed);
                }

                foreach (var worker in _workers.Where(worker => !worker.IsReady).ToList())
                {
                    Abandon(worker);
                }
            }
        }

        foreach (var work in failed)
        {
            work.Fail(exception);
        }

        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            Place(outbox);
        }

        Flush(outbox);
    }

    // Called with _gate held: it gets nothing more, and ends when it has nothing in its hands.
    private void Retire(PoolWorker worker, List<WorkerProcess> outbox)
    {
        worker.IsLeaving = true;
        _workers.Remove(worker);
        if (worker.Process is { } process)
        {
            Send(worker, Frame.Of(FrameKind.Shutdown), outbox);
            _ = KillLaterAsync(process, worker);
        }
    }

    private static async Task KillLaterAsync(WorkerProcess process, PoolWorker worker)
    {
        await Task.WhenAny(process.Ending, Task.Delay(ShutdownPatience)).ConfigureAwait(false);
        for (var waited = ShutdownPatience; Volatile.Read(ref worker.KeptResults) > 0 && waited < ResultsPatience; waited += ShutdownPatience)
        {
            // Its results are being read.
            await Task.WhenAny(process.Ending, Task.Delay(ShutdownPatience)).ConfigureAwait(false);
        }

        process.Kill();
    }

    // Called with _gate held: kills it. What it had goes to others, unless its lease wants it no more.
    private void Abandon(PoolWorker worker)
    {
        worker.IsLeaving = true;
        _workers.Remove(worker);
        while (worker.InHand.TryDequeue(out var work))
        {
            Requeue(work);
        }

        worker.Process?.Kill();
    }

    // Called with _gate held: work that has left a worker without an outcome.
    private void Requeue(PoolWork work)
    {
        _queue.Finished(work.Lease, 0);
        work.Recalled = false;
        if (work.Lease.Works.Contains(work))
        {
            _queue.Enqueue(work);
        }
        else
        {
            work.Lease.InPool--;
            TellDrained(work.Lease);
        }
    }

    private void TellDrained(PoolLease lease)
    {
        if (lease.Drained is { } drained && !_workers.Any(worker => worker.InHand.TryPeek(out var head) && head.Lease == lease && !lease.Works.Contains(head)))
        {
            drained.TrySetResult();
        }
    }

    private void Reclaim()
    {
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            foreach (var worker in _workers.Where(worker => worker.HasHadArrays && worker.IsReady))
            {
                Send(worker, Frame.Of(FrameKind.Reclaim), outbox);
            }
        }

        Flush(outbox);
    }

    private void Watch()
    {
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            foreach (var worker in _workers.Where(worker => _idleTimeout >= TimeSpan.Zero && worker.IsIdle && Stopwatch.GetElapsedTime(worker.IdleSince) >= _idleTimeout).ToList())
            {
                Retire(worker, outbox);
            }

            // A worker watches its calls' time itself; one that stands still cannot. Its end is dealt with like any worker's.
            foreach (var worker in _workers.Where(worker => worker.InHand.TryPeek(out var head) && head.Request is { Timeout: { } timeout } request
                && Stopwatch.GetElapsedTime(worker.HeadSince).TotalSeconds > (timeout.TotalSeconds * request.Calls) + StandstillPatience.TotalSeconds))
            {
                worker.Process!.Kill();
            }
        }

        Flush(outbox);
    }
}
