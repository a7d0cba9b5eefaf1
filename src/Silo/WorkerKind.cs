namespace Orleans.Joblib.Silo;

/// <summary>What a silo's workers are.</summary>
public enum WorkerKind
{
    /// <summary>Threads of the silo's process. The fastest.</summary>
    Threads = 0,

    /// <summary>Processes of their own: a call that dies or leaks takes nobody with it, and one that overruns its timeout is stopped.</summary>
    Processes = 1,
}
