using System.Globalization;

namespace Orleans.Joblib;

/// <summary>Which loops inside calls may have worker processes: not those below threads or below <c>"multiprocessing"</c>, which get one job and a warning.</summary>
/// <remarks>joblib 1.6: <c>LokyBackend.effective_n_jobs</c>, <c>MultiprocessingBackend.effective_n_jobs</c>; loky's <c>_check_max_depth</c>.</remarks>
internal static class ProcessNesting
{
    /// <summary>The most loops of <c>"loky"</c> within each other.</summary>
    internal const string MaxDepthVariable = "LOKY_MAX_DEPTH";

    private const int DefaultMaxDepth = 10;

    /// <summary>The jobs that a loop may have: what it asks for, or 1 where a loop of processes is refused.</summary>
    /// <param name="backend"><c>"loky"</c> or <c>"multiprocessing"</c>.</param>
    /// <param name="nJobs">What it asks for.</param>
    /// <param name="nestingLevel">The loops around it.</param>
    /// <param name="workerOf">The backend whose worker this process is; null outside of workers.</param>
    /// <exception cref="JoblibException">More loops of processes within each other than <c>LOKY_MAX_DEPTH</c>.</exception>
    internal static int Allow(string backend, int nJobs, int nestingLevel, string? workerOf)
    {
        if (nJobs == 1)
        {
            return 1;
        }

        if (Refusal(backend, nestingLevel, workerOf) is { } reason)
        {
            JoblibLog.NestingRefused(Joblib.Logger, reason);
            return 1;
        }

        var maxDepth = int.TryParse(Environment.GetEnvironmentVariable(MaxDepthVariable), NumberStyles.None, CultureInfo.InvariantCulture, out var set) ? set : DefaultMaxDepth;
        return workerOf == BackendRegistry.Loky && nestingLevel >= maxDepth
            ? throw new JoblibException(
                "nesting-depth", $"{nestingLevel} loops of worker processes stand around this one, and {MaxDepthVariable} allows {maxDepth}. End the recursion, or set the variable.")
            : nJobs;
    }

    /// <summary>As <see cref="Allow(string, int, int, string?)"/>, for this process.</summary>
    internal static int Allow(string backend, int nJobs, int nestingLevel) => Allow(backend, nJobs, nestingLevel, WorkerOrigin.Backend);

    private static string? Refusal(string backend, int nestingLevel, string? workerOf)
    {
        // In a worker process calls are made at the level that came with them; a thread of a pool knows its calls' threads, wherever their context flows.
        var belowThreads = CallThreads.Current is { IsOfPool: true } || nestingLevel > NestingLevel.Current;
        return backend == BackendRegistry.Multiprocessing
            ? workerOf switch
            {
                BackendRegistry.Multiprocessing => "Multiprocessing-backed parallel loops cannot be nested, setting n_jobs=1",
                BackendRegistry.Loky => "Multiprocessing-backed parallel loops cannot be nested, below loky, setting n_jobs=1",
                _ => belowThreads ? "Multiprocessing-backed parallel loops cannot be nested below threads, setting n_jobs=1" : null,
            }
            : workerOf == BackendRegistry.Multiprocessing ? "Loky-backed parallel loops cannot be called in a multiprocessing, setting n_jobs=1"
            : belowThreads ? "Loky-backed parallel loops cannot be nested below threads, setting n_jobs=1"
            : null;
    }
}
