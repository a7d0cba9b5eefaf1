namespace Orleans.Joblib;

/// <summary>How many threads a worker's calls may use.</summary>
/// <param name="Threads">From 1; the worker's own counts.</param>
/// <param name="Asked">Whether the caller asked for it (<c>innerMaxNumThreads</c>): only then does it win over the environment variables of libraries, and raise what they have.</param>
internal readonly record struct ThreadLimit(int Threads, bool Asked)
{
    /// <summary>joblib's rule for the workers of a run.</summary>
    internal static ThreadLimit Of(int nJobs, int? innerMaxNumThreads) => new(ThreadCap.Of(nJobs, innerMaxNumThreads), innerMaxNumThreads is not null);
}
