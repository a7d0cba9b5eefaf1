using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>A silo's worker pool and the runs that hold slots of it. Runs whose lease is not renewed are ended here, whatever became of their coordinator.</summary>
internal sealed class SiloWorkers : IDisposable
{
    // Of a run that has queued millions, not all are counted.
    private const int MostRecalled = 1000;
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(20);

    // Over all silos of this process: they have its cores together.
    private static int _workersOfProcess;

    // Longer than a message lives: Orleans drops one that is older than its response timeout, 30 s at most.
    private static readonly TimeSpan EndedRunsKeptFor = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, SiloRun> _runs = new();

    // Runs that their clients have ended, and when.
    private readonly ConcurrentDictionary<Guid, long> _ended = new();
    private readonly WorkerPool _pool;
    private readonly SiloCodecs _codecs;
    private readonly SiloProcesses _processes;
    private readonly TaskStream _stream;
    private readonly SiloArrays _arrays;
    private readonly bool _inProcesses;
    private readonly string? _python;
    private readonly MembershipView _membership;
    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly ILogger<SiloWorkers> _logger;
    private readonly ITimer _sweep;
    private readonly int _protocol;
    private volatile bool _draining;
    private int _disposed;

    public SiloWorkers(
        IOptions<SiloWorkerOptions> options, SiloCodecs codecs, SiloProcesses processes, SiloArrays arrays, TaskStream stream, MembershipView membership, IGrainFactory grains, TimeProvider time, ILogger<SiloWorkers> logger)
    {
        _codecs = codecs;
        _processes = processes;
        _arrays = arrays;
        _stream = stream;
        _inProcesses = options.Value.Workers == WorkerKind.Processes;
        if (_inProcesses)
        {
            // A silo that could start none would refuse every run.
            _ = WorkerCommand.OfThisProgram;
        }

        _python = options.Value.Python;
        _membership = membership;
        _pool = new WorkerPool(options.Value.SlotCount, "joblib-silo");
        Interlocked.Add(ref _workersOfProcess, _pool.Size);
        _protocol = options.Value.Protocol;
        _grains = grains;
        _time = time;
        _logger = logger;
        SiloGauges.Add(this, () => Status);
        _sweep = time.CreateTimer(static workers => ((SiloWorkers)workers!).EndExpiredRuns(), this, SweepPeriod, SweepPeriod);
    }

    internal WorkerPool Pool => _pool;

    /// <summary>Whether calls run in processes by the silo's own setting.</summary>
    internal bool InProcesses => _inProcesses;

    /// <summary>The threads that one call may use where its run does not say: all workers busy, they fill the cores.</summary>
    internal static ThreadLimit StandardLimit => new(Math.Max(CpuCounter.Count(onlyPhysicalCores: false) / Math.Max(Volatile.Read(ref _workersOfProcess), 1), 1), Asked: false);

    // Batches for worker processes come as bytes, from this process too: by reference nobody finds the silo.
    internal SiloSlots Status => new(
        _inProcesses ? Guid.Empty : LocalBatches.Process, _draining ? 0 : _pool.Size, _runs.Values.Sum(run => run.Slots), _pool.BusyCount, _pool.QueuedCount, _runs.Count, _protocol, _draining, _python is null ? null : [RunRuntime.Python]);

    internal bool Knows(Guid id) => _runs.ContainsKey(id);

    /// <summary>Gives a run slots, or changes what it has.</summary>
    /// <returns>False when its client has ended it.</returns>
    internal bool TryReserve(Guid id, int slots, TimeSpan lease, IRunObserver? observer, int? innerMaxNumThreads, bool inProcesses, RunRuntime? runtime = null)
    {
        if (_ended.ContainsKey(id))
        {
            return false;
        }

        var run = _runs.GetOrAdd(id, key => new SiloRun(
            key,
            new RunReporter(_grains.GetGrain<ICoordinatorGrain>(key), _logger),
            observer is null ? null : new OutcomeSender(observer, _logger),
            innerMaxNumThreads is { } threads ? new ThreadLimit(threads, Asked: true) : StandardLimit,
            _stream,
            runtime,
            _inProcesses || inProcesses || runtime is not null
                ? (run, code) => _processes.Lease(ProgramOf(runtime, code), Math.Max(run.Slots, 1), Math.Max(Volatile.Read(ref _workersOfProcess), 1), innerMaxNumThreads)
                : null)
        {
            // A sweep must not take it for one that has expired.
            Lease = lease,
            LeaseStartedAt = _time.GetTimestamp(),
        });
        (run.Slots, run.Lease, run.LeaseStartedAt) = (slots, lease, _time.GetTimestamp());
        _pool.ChangeMostAtOnce(run, run.MostAtOnce);
        SiloLog.SlotsGranted(_logger, slots, id);
        if (!_ended.ContainsKey(id))
        {
            return true;
        }

        // It was ended in between.
        Release(id, forGood: false);
        return false;
    }

    private IWorkerProgram ProgramOf(RunRuntime? runtime, CodecLease code) =>
        runtime is null ? new DotnetProgram(code.Code!, code.Codec) : new PythonProgram(_python ?? throw new JoblibException("silo-without-python", $"The silo on '{Environment.MachineName}' has no Python: start it with --python."), runtime.Prepare);

    internal void Renew(Guid id)
    {
        if (_runs.TryGetValue(id, out var run))
        {
            run.LeaseStartedAt = _time.GetTimestamp();
        }
    }

    /// <summary>A run's batches here, for its client, whose lease it renews.</summary>
    internal SiloCheck Check(Guid id)
    {
        Renew(id);
        return _runs.TryGetValue(id, out var run)
            ? new SiloCheck(true, [.. run.InHand.Keys], _membership.Members(), _pool.CountQueued(run, IsWhole, MostRecalled), _draining ? 0 : _pool.IdleFor(run, run.Slots))
            : new SiloCheck(false, [], _membership.Members());
    }

    /// <summary>Gives a run's batches back that no worker has taken up yet, the last that came.</summary>
    internal void Recall(Guid id, int batches, SiloAddress silo)
    {
        if (!_runs.TryGetValue(id, out var run))
        {
            return;
        }

        foreach (var item in _pool.RemoveQueued(run, IsWhole, batches))
        {
            if (item is RemoteBatchWork remote)
            {
                remote.GiveBack(silo);
            }
            else
            {
                // Its client sends it on, which is not for this grain's turn.
                ThreadPool.UnsafeQueueUserWorkItem(static batch => batch.Carrier!.GivenBack(batch), ((BatchWork)item).Batch, preferLocal: false);
            }
        }
    }

    /// <summary>Ends a run's share: queued batches are dropped, workers in the middle of one are given up, its batch grains go.</summary>
    internal void Release(Guid id, bool forGood)
    {
        if (forGood)
        {
            _ended[id] = _time.GetTimestamp();
        }

        if (!_runs.TryRemove(id, out var run))
        {
            return;
        }

        run.End();
        DropQueued(run);
        foreach (var grain in run.Grains.Values)
        {
            grain.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "The run has ended."));
        }

        SiloLog.SlotsReleased(_logger, run.Slots, id);
    }

    /// <summary>Takes no new batch from now on, hands queued ones back and waits for those that are being executed.</summary>
    /// <returns>False when the time was over before all had ended: those are given up when the silo stops.</returns>
    internal async Task<bool> DrainAsync(TimeSpan timeout)
    {
        _draining = true;
        SiloLog.Draining(_logger, _pool.BusyCount, _pool.QueuedCount, timeout);
        using var ending = new CancellationTokenSource(timeout, _time);
        using var look = new PeriodicTimer(DrainPoll, _time);
        try
        {
            while (true)
            {
                // Again at each look: a batch that was being accepted when the drain began is queued a moment later. A part that a running batch has shared out ends here with it.
                foreach (var run in _runs.Values)
                {
                    HandBack(_pool.RemoveQueued(run, IsWhole));
                    run.SendAnsweredAgain();
                }

                // An outcome counts as in hand until its client has acknowledged it.
                if (_pool.BusyCount == 0 && _pool.QueuedCount == 0 && _runs.Values.All(run => run.InHand.IsEmpty && !run.KeepsResults))
                {
                    return true;
                }

                await look.WaitForNextTickAsync(ending.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            SiloLog.DrainTimedOut(_logger, _pool.BusyCount, timeout);
            return false;
        }
    }

    internal BatchAnswer Execute(SlotKey slot, IGrainContext grain, BatchRequest request)
    {
        if (_draining)
        {
            return new BatchAnswer(BatchStatus.Draining, 0);
        }

        if (request.Process != LocalBatches.Process)
        {
            return new BatchAnswer(BatchStatus.NotInThisProcess, 0);
        }

        if (!_runs.TryGetValue(slot.Run, out var run))
        {
            return new BatchAnswer(BatchStatus.RunEnded, 0);
        }

        if (run.InProcesses)
        {
            return new BatchAnswer(BatchStatus.NotInThisProcess, 0);
        }

        run.Grains.TryAdd(grain.GrainId, grain);
        var accepted = 0;
        foreach (var handle in request.Handles)
        {
            // A handle that is gone belongs to a batch that ended while the message was under way.
            if (LocalBatches.Find(handle) is { } batch && !_pool.TrySubmit(new BatchWork(run, batch, _pool, _time)))
            {
                return new BatchAnswer(BatchStatus.RunEnded, 0, accepted);
            }

            accepted++;
        }

        if (!_runs.ContainsKey(slot.Run))
        {
            // The run ended between the look-up and the queue: nobody else will take the batches out.
            DropQueued(run);
        }

        return run.Answer;
    }

    /// <summary>Takes batches of another process. What is in hand already is taken as accepted: the answer to an earlier message was lost.</summary>
    /// <param name="slot">The slot that the message came to.</param>
    /// <param name="grain">The slot's grain.</param>
    /// <param name="request">The message.</param>
    /// <param name="awaited">The batch whose outcome the answer may bring; null when there is none.</param>
    internal BatchAnswer Execute(SlotKey slot, IGrainContext grain, RemoteBatchRequest request, out RemoteBatchWork? awaited)
    {
        awaited = null;
        if (_draining)
        {
            return new BatchAnswer(BatchStatus.Draining, 0);
        }

        if (!_runs.TryGetValue(slot.Run, out var run) || run.Outcomes is null)
        {
            return new BatchAnswer(BatchStatus.RunEnded, 0);
        }

        run.Grains.TryAdd(grain.GrainId, grain);
        foreach (var handle in request.Received ?? [])
        {
            run.InHand.TryRemove(handle, out _);
        }

        var accepted = 0;
        SiloRunArrays? arrays = null;
        if (request.Arrays is { } session && (arrays = run.ArraysOf(session, _arrays.NewRun)) is null)
        {
            return new BatchAnswer(BatchStatus.ArraysMissing, 0, accepted);
        }

        foreach (var batch in request.Batches)
        {
            var use = arrays?.TryUse(batch.Arrays);
            if (arrays is not null && use is null)
            {
                return new BatchAnswer(BatchStatus.ArraysMissing, 0, accepted);
            }

            if ((run.Runtime is null ? _codecs.TryAcquire(request.Code) : _codecs.WithoutCode) is not { } code)
            {
                use?.Dispose();
                return new BatchAnswer(BatchStatus.CodeMissing, 0, accepted);
            }

            var work = new RemoteBatchWork(run, batch, code, arrays, use, _pool, _time);
            if (!TryTakeIn(run, batch.Handle, work))
            {
                work.LetGo();
                accepted++;
                continue;
            }

            if (request is { AwaitsOutcome: true, Batches.Length: 1 })
            {
                work.Await();
                awaited = work;
            }

            if (!_pool.TrySubmit(work))
            {
                awaited = null;
                run.InHand.TryRemove(batch.Handle, out _);
                work.LetGo();
                return new BatchAnswer(BatchStatus.RunEnded, 0, accepted);
            }

            accepted++;
        }

        if (!_runs.ContainsKey(slot.Run))
        {
            DropQueued(run);
        }

        return run.Answer;
    }

    /// <returns>False when the batch is here already.</returns>
    private static bool TryTakeIn(SiloRun run, long handle, RemoteBatchWork work)
    {
        while (!run.InHand.TryAdd(handle, work))
        {
            if (!run.InHand.TryGetValue(handle, out var known))
            {
                continue;
            }

            if (!known.IsGivenBack)
            {
                known.SendAgain();
                return false;
            }

            // It went back, and comes again before its client has said that it heard so.
            if (run.InHand.TryUpdate(handle, work, known))
            {
                break;
            }
        }

        return true;
    }

    /// <summary>The large arrays of a loop, for its client; null when the run has ended here, or the client has not opened them.</summary>
    internal SiloRunArrays? ArraysOf(Guid id, ArraySession session) => _runs.TryGetValue(id, out var run) ? run.ArraysOf(session, _arrays.NewRun) : null;

    internal void EndArrays(Guid id, Guid session)
    {
        if (_runs.TryGetValue(id, out var run))
        {
            run.EndArrays(session);
        }
    }

    internal void Taken(Guid id, long[] batches)
    {
        if (_runs.TryGetValue(id, out var run))
        {
            foreach (var batch in batches)
            {
                run.Taken(batch);
            }
        }
    }

    /// <summary>A part of a large result.</summary>
    /// <exception cref="JoblibException">It is not here.</exception>
    internal byte[] ReadResult(Guid id, long batch, string path, long offset, int bytes)
    {
        if (bytes is < 1 or > ArrayChunk.MostBytes || offset < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"A part of '{bytes}' bytes at '{offset}' is none. Use the same version of Orleans.Joblib on client and silo.");
        }

        // Only what this run's own batches have put there may be read.
        if (!_runs.TryGetValue(id, out var run) || run.Results(batch) is not { } results || !results.Paths.Contains(path))
        {
            throw new JoblibException("array-gone", $"The result '{path}' is not on this silo any more: its run has ended here.");
        }

        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var part = new byte[bytes];
        ContentHash.ReadExactly(file, part, offset);
        return part;
    }

    internal void Abandon(long handle) => _pool.Abandon(item => item is BatchWork work && work.Batch.Handle == handle && work.Batch.IsAbandoned);

    /// <summary>Whether it is a batch as its client sent it, not a part that a worker shared out.</summary>
    private static bool IsWhole(IWorkItem item) => item is RemoteBatchWork or BatchWork { Batch.Carrier: not null };

    private void DropQueued(SiloRun run) => HandBack(_pool.Remove(run));

    private static void HandBack(IReadOnlyList<IWorkItem> items)
    {
        foreach (var item in items)
        {
            if (item is RemoteBatchWork remote)
            {
                remote.GiveBack();
                continue;
            }

            var batch = item is BatchWork work ? work.Batch : ((RemoteBatchWork.PartWork)item).Part;
            if (batch.Carrier is { } carrier)
            {
                carrier.Dropped(batch);
            }
            else
            {
                // A part that a worker shared out has no carrier of its own; its run has ended, or ends with this fault.
                batch.Complete(batch.Ending.IsCancellationRequested ? null : new JoblibException("run-ended", "The silo ended the run before this part of a batch."));
            }
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        SiloGauges.Remove(this);
        Interlocked.Add(ref _workersOfProcess, -_pool.Size);
        _sweep.Dispose();
        foreach (var id in _runs.Keys)
        {
            Release(id, forGood: false);
        }

        // A worker of a run that has just been released may have shared out a part since.
        HandBack(_pool.End());
    }

    private void EndExpiredRuns()
    {
        foreach (var run in _runs.Values)
        {
            if (_time.GetElapsedTime(run.LeaseStartedAt) > run.Lease)
            {
                SiloLog.LeaseExpired(_logger, run.Id, run.Lease);
                Release(run.Id, forGood: false);
            }
        }

        foreach (var (id, endedAt) in _ended)
        {
            if (_time.GetElapsedTime(endedAt) > EndedRunsKeptFor)
            {
                _ended.TryRemove(id, out _);
            }
        }
    }
}
