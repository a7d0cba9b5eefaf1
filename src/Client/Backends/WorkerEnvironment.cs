namespace Orleans.Joblib;

/// <summary>The environment variables that a worker process gets beside this process's own.</summary>
internal static class WorkerEnvironment
{
    // A worker lives on few threads and small heaps: what the program set for itself (a server's collector, say) is not for it. Measured: benchmarks/results.
    private static readonly (string Name, string Value)[] Runtime =
    [
        ("DOTNET_gcServer", "0"),
        ("DOTNET_gcConcurrent", "0"),
        ("DOTNET_TieredPGO", "0"),
    ];

    /// <param name="backend">The backend's name.</param>
    /// <param name="nJobs">The workers of its pool.</param>
    /// <param name="innerMaxNumThreads">Threads that each may use; null for the cores divided by the workers.</param>
    internal static IReadOnlyDictionary<string, string> Of(string backend, int nJobs, int? innerMaxNumThreads)
    {
        var variables = new Dictionary<string, string>(ThreadCapEnvironment.Of(nJobs, innerMaxNumThreads), StringComparer.Ordinal) { [WorkerOrigin.Variable] = backend };
        foreach (var (name, value) in Runtime.Where(variable => Environment.GetEnvironmentVariable(variable.Name) is null))
        {
            variables[name] = value;
        }

        return variables;
    }
}
