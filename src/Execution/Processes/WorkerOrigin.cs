namespace Orleans.Joblib;

/// <summary>Which backend started this process as its worker.</summary>
internal static class WorkerOrigin
{
    /// <summary>Set in a worker's environment by the backend that starts it.</summary>
    internal const string Variable = "JOBLIB_WORKER_BACKEND";

    /// <summary>The backend's name; null outside of worker processes.</summary>
    internal static string? Backend { get; private set; }

    /// <summary>The worker starts: programs that its calls start must not take themselves for workers.</summary>
    internal static void Take()
    {
        Backend = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, null);
    }
}
