namespace Orleans.Joblib;

/// <summary>A silo's workers and what they are doing.</summary>
/// <param name="Process">Identifies the silo's process; empty when batches must come as bytes, from that process too, for its worker processes.</param>
/// <param name="Size">Workers, each one slot.</param>
/// <param name="Granted">Slots granted to open runs; more than <paramref name="Size"/> when runs share the silo.</param>
/// <param name="Busy">Workers that are executing a batch.</param>
/// <param name="Queued">Batches that wait for a worker.</param>
/// <param name="Runs">Open runs with slots here.</param>
/// <param name="Protocol">The protocol version that the silo speaks; 0 from a silo that knew none.</param>
/// <param name="Draining">Whether the silo is going and takes no new batch; its <paramref name="Size"/> is then 0.</param>
/// <param name="Runtimes">What it can execute besides .NET, by <see cref="RunRuntime.Name"/>; null for nothing.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.SiloSlots")]
public sealed record SiloSlots(
    [property: Id(0)] Guid Process,
    [property: Id(1)] int Size,
    [property: Id(2)] int Granted,
    [property: Id(3)] int Busy,
    [property: Id(4)] int Queued,
    [property: Id(5)] int Runs,
    [property: Id(6)] int Protocol = JoblibProtocol.Version,
    [property: Id(7)] bool Draining = false,
    [property: Id(8)] string[]? Runtimes = null)
{
    /// <summary>Whether its workers can execute a run's calls.</summary>
    internal bool Has(RunRuntime? runtime) => runtime is null || Runtimes?.Contains(runtime.Name) == true;
}
