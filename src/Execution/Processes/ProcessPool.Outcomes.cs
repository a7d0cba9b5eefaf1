using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>The half that hears from workers: outcomes, deaths, what calls wrote and logged.</summary>
internal sealed partial class ProcessPool
{
    internal void SaidHello(PoolWorker worker, WorkerHello hello)
    {
        if (hello.Fault is { } fault)
        {
            NotStarted(fault, isFinal: true);
            return;
        }

        worker.Process!.LeadsGroup = hello.LeadsGroup;
        if (_settings.Initializer is null)
        {
            MakeReady(worker);
        }
    }

    internal void Initialized(PoolWorker worker, WorkerOutcome outcome)
    {
        if (outcome.Status == OutcomeStatus.Completed)
        {
            MakeReady(worker);
            return;
        }

        NotStarted(_settings.ReadInitializerFailure(outcome.Payload, worker.Process!.Id), isFinal: true);
    }

    /// <summary>The tokens of a run's calls there are cancelled.</summary>
    internal void RunEnded(PoolWorker worker, long run)
    {
        lock (_gate)
        {
            _tellings.Find(telling => telling.Run == run)?.Remove(worker);
        }
    }

    /// <summary>A batch has ended, or was given back.</summary>
    internal void Ended(PoolWorker worker, WorkerOutcome outcome)
    {
        var outbox = new List<WorkerProcess>(2);
        PoolWork? work;
        lock (_gate)
        {
            work = TakeFromHand(worker, outcome.Handle);
            if (work is null && (outcome.Handle != BatchFrames.NoBatch || worker.IsLeaving))
            {
                // Its worker was abandoned a moment ago: somebody else has it now, or nobody wants it.
                return;
            }

            if (outcome.Arrays is not null)
            {
                work?.Lease.UsesArrays = true;
                Interlocked.Increment(ref worker.KeptResults);
            }

            worker.IdleSince = worker.HeadSince = Stopwatch.GetTimestamp();
            if (work is null)
            {
                // It leaves, and that is all that it says.
            }
            else if (outcome.Status == OutcomeStatus.NotExecuted)
            {
                Requeue(work);
                work = null;
            }
            else
            {
                _queue.Finished(work.Lease, outcome.Executed.Ticks);
                work.Lease.InPool--;
                if (!work.Lease.Works.Remove(work))
                {
                    TellDrained(work.Lease);
                    work = null;
                }
            }

            if (outcome.Leaving != LeaveReason.None || (worker.Batches >= _settings.MaxBatchesPerWorker && worker.InHand.Count == 0))
            {
                Leave(worker, outcome.Leaving, outbox);
            }

            Place(outbox);
        }

        Flush(outbox);
        if (outcome.Arrays is { } paths)
        {
            work?.TakeArrays(paths);
        }

        work?.Take(outcome.Status, outcome.Payload, Positive(Stopwatch.GetElapsedTime(work.SubmittedAt) - outcome.Executed));
        if (outcome.Arrays is not null)
        {
            worker.Process!.Enqueue(BatchFrames.Taken(outcome.Handle));
            worker.Process.Flush();
            Interlocked.Decrement(ref worker.KeptResults);
        }

        switch (outcome.Leaving)
        {
            case LeaveReason.Memory:
                ProcessLog.GrewTooLarge(Log, worker.Process!.Id, outcome.ResidentBytes / 1e6, outcome.FirstResidentBytes / 1e6, _settings.MaxMemoryGrowth / 1e6);
                break;
            case LeaveReason.Overdue:
                ProcessLog.CallOverdue(Log, worker.Process!.Id);
                break;
        }
    }

    /// <summary>A worker's process is gone.</summary>
    internal void Died(PoolWorker worker, WorkerExit exit)
    {
        PoolWork? suspect = null;
        bool wasStarting;
        lock (_gate)
        {
            if (!_workers.Remove(worker) || _disposed)
            {
                // Meant to.
                return;
            }

            _tellings.ForEach(telling => telling.Remove(worker));
            wasStarting = !worker.IsReady;
            worker.InHand.TryDequeue(out suspect);
            foreach (var work in worker.InHand)
            {
                Requeue(work);
            }

            worker.InHand.Clear();
        }

        var id = worker.Process!.Id;
        if (wasStarting)
        {
            NotStarted(
                new JoblibException("worker-not-started", $"The worker process {id} ended before it could take calls ({exit}). It said: '{exit.LastWords}'. Look at what ends processes here: memory limits, startup hooks, the initializer."),
                isFinal: _settings.Initializer is not null);
            return;
        }

        if (suspect is null)
        {
            ProcessLog.IdleWorkerDied(Log, id, exit.ToString());
        }
        else
        {
            Suspect(suspect, id, exit);
        }

        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            Place(outbox);
        }

        Flush(outbox);
    }

    internal void Logged(int processId, byte[] body)
    {
        try
        {
            WorkerLog.Replay(_settings.Loggers, processId, body);
        }
        catch (Exception exception) when (exception is not JoblibException)
        {
            // A provider of the user's threw: that costs a record, not the worker.
        }
    }

    /// <summary>A worker died with this batch. One call: again, up to the limit. Several: each by itself, so that the culprit shows.</summary>
    private void Suspect(PoolWork work, int processId, WorkerExit exit)
    {
        ProcessLog.WorkerDied(Log, processId, exit.ToString(), work.Request.Calls, work.Request.FirstCallIndex);
        IReadOnlyList<PoolWork>? calls = null;
        Exception? fault = null;
        lock (_gate)
        {
            if (!work.Lease.Works.Contains(work))
            {
                Requeue(work);
                return;
            }
        }

        if (work.EndWithWorker(processId, exit))
        {
            lock (_gate)
            {
                work.Lease.Works.Remove(work);
                _queue.Finished(work.Lease, 0);
                work.Lease.InPool--;
                TellDrained(work.Lease);
            }

            return;
        }

        try
        {
            calls = work.Split();
        }
        catch (Exception exception)
        {
            fault = exception;
        }

        lock (_gate)
        {
            if (calls is null && fault is null)
            {
                if (++work.Deaths < MostDeaths)
                {
                    Requeue(work);
                    return;
                }

                fault = new TerminatedWorkerException(
                    $"{MostDeaths} worker processes died while they executed call {work.Request.FirstCallIndex}, {work.FirstCallText}; the last was process {processId} ({exit}). "
                        + "Look at this call: a fault in native code, a stack overflow, memory, Environment.Exit."
                        + (exit.LastWords.Length > 0 ? $" Its last words: '{exit.LastWords}'." : ""));
            }

            var wanted = work.Lease.Works.Remove(work);
            _queue.Finished(work.Lease, 0);
            work.Lease.InPool--;
            if (calls is not null && wanted)
            {
                foreach (var call in calls)
                {
                    work.Lease.Works.Add(call);
                    work.Lease.Waiting.Enqueue(call);
                }
            }

            TellDrained(work.Lease);
        }

        if (fault is not null)
        {
            work.Fail(fault);
        }
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;

    private void MakeReady(PoolWorker worker)
    {
        var outbox = new List<WorkerProcess>();
        lock (_gate)
        {
            _failedStarts = 0;
            worker.IsReady = true;
            worker.IdleSince = Stopwatch.GetTimestamp();
            if (!worker.IsLeaving)
            {
                Place(outbox);
            }
        }

        Flush(outbox);
    }

    // Called with _gate held.
    private static PoolWork? TakeFromHand(PoolWorker worker, long handle)
    {
        for (var left = worker.InHand.Count; left > 0; left--)
        {
            var work = worker.InHand.Dequeue();
            if (work.Request.Handle == handle)
            {
                // The order of the others stays.
                for (left--; left > 0; left--)
                {
                    worker.InHand.Enqueue(worker.InHand.Dequeue());
                }

                return work;
            }

            worker.InHand.Enqueue(work);
        }

        return null;
    }

    // Called with _gate held: it executes nothing any more.
    private void Leave(PoolWorker worker, LeaveReason reason, List<WorkerProcess> outbox)
    {
        while (worker.InHand.TryDequeue(out var waiting))
        {
            Requeue(waiting);
        }

        if (reason == LeaveReason.Overdue)
        {
            // The overdue call still runs there.
            Abandon(worker);
        }
        else
        {
            Retire(worker, outbox);
        }
    }
}
