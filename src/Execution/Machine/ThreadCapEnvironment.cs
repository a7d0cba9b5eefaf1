using System.Globalization;

namespace Orleans.Joblib;

/// <summary>The environment variables that hold a worker process to its thread cap, set before its runtime and its libraries start.</summary>
/// <remarks>joblib 1.6, <c>_prepare_worker_env</c>: what the caller asked for, else his own environment, else the cap. .NET's variables were verified by running (.NET 10.0).</remarks>
internal static class ThreadCapEnvironment
{
    /// <summary>The cap that a worker process was started with: how it tells its own variables from those of the user.</summary>
    internal const string Marker = "JOBLIB_WORKER_THREAD_CAP";

    /// <summary>The runtime's count of cores, decimal. Follow it: the thread pool's minimum, PLINQ, <c>Parallel</c>, <see cref="CpuCounter"/>; at 1 the collector is the workstation's.</summary>
    internal const string ProcessorCount = "DOTNET_PROCESSOR_COUNT";

    private static readonly string[] Numbers =
    [
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS", ProcessorCount,
    ];

    /// <summary>What a worker process gets beside its parent's environment.</summary>
    /// <param name="nJobs">The workers of its pool, from 1.</param>
    /// <param name="innerMaxNumThreads">What the caller asked for; it wins over his environment.</param>
    /// <param name="callers">The caller's environment; null for this process's.</param>
    internal static IReadOnlyDictionary<string, string> Of(int nJobs, int? innerMaxNumThreads, Func<string, string?>? callers = null)
    {
        callers ??= Environment.GetEnvironmentVariable;
        var cap = ThreadCap.Of(nJobs, innerMaxNumThreads);
        var number = cap.ToString(CultureInfo.InvariantCulture);
        var inherited = callers(Marker);
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { [Marker] = number };
        foreach (var name in Numbers)
        {
            // A worker's worker: what its parent was started with is not the user's.
            var own = callers(name) is { Length: > 0 } value && value != inherited ? value : null;
            variables[name] = innerMaxNumThreads is null && own is not null ? own : number;
        }

        // TBB shares its threads out between processes.
        SetDefault("ENABLE_IPC", "1");

        // Calls that compute do not make the thread pool grow. It has no upper bound all the same: calls that block on tasks would wait for ever.
        SetDefault("DOTNET_HillClimbing_Disable", "1");

        // Server collector: threads as many as the cap, in hexadecimal, and not all workers' on the first cores.
        SetDefault("DOTNET_GCHeapCount", cap.ToString("X", CultureInfo.InvariantCulture));
        SetDefault("DOTNET_GCNoAffinitize", "1");
        return variables;

        void SetDefault(string name, string value) => variables[name] = callers(name) is { Length: > 0 } own && inherited is null ? own : value;
    }
}
