namespace Orleans.Joblib;

/// <summary>What a batch grain answers.</summary>
/// <param name="Status">What became of the batch.</param>
/// <param name="AdvisedBatchSize">The coordinator's latest advice to the dispatcher, in calls; 0 when it has none yet.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.BatchAnswer")]
public sealed record BatchAnswer(
    [property: Id(0)] BatchStatus Status,
    [property: Id(1)] int AdvisedBatchSize);
