namespace Orleans.Joblib;

/// <summary>Whom a worker process's news are for. Called on the thread that reads from the worker, one at a time.</summary>
internal interface IWorkerOwner
{
    void FrameCame(WorkerProcess worker, FrameKind kind, byte[] body);

    /// <summary>The process is gone, with its children, and has been reaped; the last call.</summary>
    void Ended(WorkerProcess worker, WorkerExit exit);

    /// <summary>A line on the worker's standard error that the runtime or native code wrote.</summary>
    void ErrorLine(string line);
}
