using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>What became of a batch in another process.</summary>
/// <param name="Handle">The client's handle of the batch.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Payload">The results, or the failure, encoded; empty when there are none.</param>
/// <param name="Queued">How long it waited for a worker.</param>
/// <param name="Executed">How long a worker had it.</param>
/// <param name="Arrays">The large arrays of the results that the client's host does not share; null for none.</param>
/// <param name="GivenBackBy">The silo that gave the batch back because it was asked to (<see cref="ISiloSlotsGrain.RecallAsync"/>); null for any other outcome.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.BatchOutcome")]
public sealed record BatchOutcome(
    [property: Id(0)] long Handle,
    [property: Id(1)] OutcomeStatus Status,
    [property: Id(2)] byte[] Payload,
    [property: Id(3)] TimeSpan Queued,
    [property: Id(4)] TimeSpan Executed,
    [property: Id(5)] ArrayResult[]? Arrays = null,
    [property: Id(6)] SiloAddress? GivenBackBy = null);
