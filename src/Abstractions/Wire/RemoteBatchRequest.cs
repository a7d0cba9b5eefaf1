namespace Orleans.Joblib;

/// <summary>Batches on their way to a slot in another process.</summary>
/// <param name="Code">The code set that their payloads name; the silo was sent it before.</param>
/// <param name="Batches">The batches, in the order of dispatch.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RemoteBatchRequest")]
public sealed record RemoteBatchRequest(
    [property: Id(0)] CodeHash Code,
    [property: Id(1)] RemoteBatch[] Batches);
