namespace Orleans.Joblib;

/// <summary>A worker of a process pool. The pool's lock guards what is mutable.</summary>
internal sealed class PoolWorker(ProcessPool pool) : IWorkerOwner
{
    private static readonly TimeSpan SecondSweep = TimeSpan.FromSeconds(1);

    /// <summary>How many pieces of code it was sent.</summary>
    internal int CodeSent;

    internal ProcessPool Pool => pool;

    /// <summary>Null until the process has been started.</summary>
    internal WorkerProcess? Process { get; set; }

    /// <summary>Whether it can execute batches.</summary>
    internal bool IsReady { get; set; }

    /// <summary>Whether it gets no more batches.</summary>
    internal bool IsLeaving { get; set; }

    internal bool IsIdle => IsReady && !IsLeaving && InHand.Count == 0;

    /// <summary>The batch that it executes, and the one that waits there.</summary>
    internal Queue<PoolWork> InHand { get; } = new();

    /// <summary>Whether what waits there was asked back. What it has begun with will not come back.</summary>
    internal bool HasRecalled => InHand.Skip(1).Any(work => work.Recalled);

    /// <summary>When it began with the first of them, as a timestamp.</summary>
    internal long HeadSince { get; set; }

    internal long IdleSince { get; set; }

    /// <summary>Runs of whose arrays it was told, and that have not ended.</summary>
    internal HashSet<long> Runs { get; } = [];

    /// <summary>Whether it may have written large arrays, or mapped some.</summary>
    internal bool HasHadArrays { get; set; }

    /// <summary>Batches whose results' large arrays it keeps for this program.</summary>
    internal int KeptResults;

    /// <summary>Batches that it was sent.</summary>
    internal int Batches { get; set; }

    public void FrameCame(WorkerProcess worker, FrameKind kind, byte[] body)
    {
        switch (kind)
        {
            case FrameKind.Hello:
                pool.SaidHello(this, WorkerHello.Read(body));
                break;
            case FrameKind.Outcome:
                var outcome = BatchFrames.ReadOutcome(body);
                if (outcome.Handle == BatchFrames.InitializerHandle)
                {
                    pool.Initialized(this, outcome);
                }
                else
                {
                    pool.Ended(this, outcome);
                }

                break;
            case FrameKind.RunEnded:
                pool.RunEnded(this, BitConverter.ToInt64(body));
                break;
            case FrameKind.Output:
                WorkerOutput.Read(body);
                break;
            case FrameKind.Span:
                WorkerSpans.Replay(body);
                break;
            case FrameKind.Log:
                pool.Logged(worker.Id, body);
                break;
        }
    }

    public void Ended(WorkerProcess worker, WorkerExit exit)
    {
        if (LiveWorkers.AreEnding)
        {
            return;
        }

        if (HasHadArrays)
        {
            // It may have been ended between writing a result and sending it.
            _ = SweepAsync();
        }

        pool.Died(this, exit);
    }

    // The system may give up its locks a moment after it is gone, where somebody looks at its memory just then.
    private static async Task SweepAsync()
    {
        await Task.Yield();
        ArrayStores.Sweep();
        await Task.Delay(SecondSweep).ConfigureAwait(false);
        ArrayStores.Sweep();
    }

    public void ErrorLine(string line) => WorkerOutput.Write(Console.Error, line + "\n");
}
