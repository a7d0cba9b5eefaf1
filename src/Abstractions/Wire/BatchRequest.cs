namespace Orleans.Joblib;

/// <summary>A batch on its way to a slot.</summary>
/// <param name="Process">The process that holds the batch.</param>
/// <param name="Handle">The batch's handle in that process (<c>LocalBatches</c>).</param>
/// <param name="Number">The batch's number within its run.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.BatchRequest")]
public sealed record BatchRequest(
    [property: Id(0)] Guid Process,
    [property: Id(1)] long Handle,
    [property: Id(2)] long Number);
