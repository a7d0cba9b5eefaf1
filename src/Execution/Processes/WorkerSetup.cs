namespace Orleans.Joblib;

/// <summary>What holds for a worker process's life.</summary>
/// <param name="MaxMemoryGrowth">By how many bytes it may grow over what it had after its first batch.</param>
/// <param name="SharedNames">Assemblies that the program counts as shared: both sides must name types the same way.</param>
internal sealed record WorkerSetup(long MaxMemoryGrowth, IReadOnlyCollection<string> SharedNames);
