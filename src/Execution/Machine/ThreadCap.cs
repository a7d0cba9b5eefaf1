namespace Orleans.Joblib;

/// <summary>How many threads a call may start, so that all calls of a run together start no more than there are cores.</summary>
internal static class ThreadCap
{
    /// <summary>What the surrounding call was given; null outside of calls that have a cap.</summary>
    internal static int? Current => CallThreads.Current?.Cap;

    /// <summary>The cores that the code which asks may use: its call's cap, as in a worker process, whose runtime counts no other cores; outside of calls the process's.</summary>
    internal static int Cores(bool onlyPhysicalCores) => Current ?? CpuCounter.Count(onlyPhysicalCores);

    /// <summary>joblib's rule: what the caller said, else the cores divided by the jobs, and never below 1.</summary>
    internal static int Of(int nJobs, int? innerMaxNumThreads) => innerMaxNumThreads ?? Math.Max(Cores(onlyPhysicalCores: false) / nJobs, 1);
}
