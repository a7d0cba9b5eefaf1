namespace Orleans.Joblib;

/// <summary>Batches on their way to a slot, by reference: the silo is in the process that holds them.</summary>
/// <param name="Process">The process that holds the batches.</param>
/// <param name="Handles">The batches' handles in that process (<c>LocalBatches</c>), in the order of dispatch.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.BatchRequest")]
public sealed record BatchRequest(
    [property: Id(0)] Guid Process,
    [property: Id(1)] long[] Handles);
