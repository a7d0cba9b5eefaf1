using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>One worker's place in a silo, granted to a run.</summary>
/// <param name="Number">The slot's number within the run, from 0.</param>
/// <param name="Silo">The silo that holds it.</param>
/// <param name="Process">Identifies the silo's process: a client in the same process passes batches by reference.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.SlotGrant")]
public sealed record SlotGrant(
    [property: Id(0)] int Number,
    [property: Id(1)] SiloAddress Silo,
    [property: Id(2)] Guid Process);
