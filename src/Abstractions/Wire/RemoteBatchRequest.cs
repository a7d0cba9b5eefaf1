namespace Orleans.Joblib;

/// <summary>Batches on their way to a slot in another process.</summary>
/// <param name="Code">The code set that their payloads name; the silo was sent it before.</param>
/// <param name="Batches">The batches, in the order of dispatch.</param>
/// <param name="AwaitsOutcome">Whether the answer may bring the outcome of the one batch, should it come soon: two messages instead of four.</param>
/// <param name="Received">Batches whose outcome came with an earlier answer of this slot; null for none.</param>
/// <param name="Arrays">How large arrays travel; null when they are in the payloads.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RemoteBatchRequest")]
public sealed record RemoteBatchRequest(
    [property: Id(0)] CodeHash Code,
    [property: Id(1)] RemoteBatch[] Batches,
    [property: Id(2)] bool AwaitsOutcome = false,
    [property: Id(3)] long[]? Received = null,
    [property: Id(4)] ArraySession? Arrays = null);
