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

    internal static IReadOnlyDictionary<string, string> Of(int nJobs, int? innerMaxNumThreads)
    {
        _ = nJobs;
        _ = innerMaxNumThreads;
        return Runtime.Where(variable => Environment.GetEnvironmentVariable(variable.Name) is null).ToDictionary(variable => variable.Name, variable => variable.Value);
    }
}
