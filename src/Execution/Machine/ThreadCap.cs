namespace Orleans.Joblib;

/// <summary>How many threads a call may start, so that all calls of a run together start no more than there are cores.</summary>
internal static class ThreadCap
{
    private static readonly AsyncLocal<int> Ambient = new();

    /// <summary>What the surrounding call was given; null outside of calls that have a cap.</summary>
    internal static int? Current => Ambient.Value is > 0 and var cap ? cap : null;

    /// <summary>joblib's rule: what the caller said, else the cores divided by the jobs, and never below 1.</summary>
    internal static int Of(int nJobs, int? innerMaxNumThreads) => innerMaxNumThreads ?? Math.Max(CpuCounter.Count(onlyPhysicalCores: false) / nJobs, 1);

    /// <summary>A context as another, in which <see cref="Current"/> is a cap.</summary>
    internal static ExecutionContext In(ExecutionContext context, int cap)
    {
        ExecutionContext? made = null;
        ExecutionContext.Run(
            context,
            _ =>
            {
                Ambient.Value = cap;
                made = ExecutionContext.Capture();
            },
            null);
        return made!;
    }
}
