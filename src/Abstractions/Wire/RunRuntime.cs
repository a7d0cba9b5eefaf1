namespace Orleans.Joblib;

/// <summary>What executes a run's calls where that is not .NET. Its payloads are bytes to the cluster.</summary>
/// <param name="Name">Its name, such as <see cref="Python"/>: silos that do not say they have it get nothing of the run.</param>
/// <param name="Prepare">What each worker process takes in before its first batch. Runs with equal bytes share workers.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunRuntime")]
public sealed record RunRuntime(
    [property: Id(0)] string Name,
    [property: Id(1)] byte[] Prepare)
{
    /// <summary>Python.</summary>
    public const string Python = "python";
}
