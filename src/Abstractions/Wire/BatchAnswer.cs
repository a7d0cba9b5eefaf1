namespace Orleans.Joblib;

/// <summary>A slot's answer to the batches of one message.</summary>
/// <param name="Status">What became of them.</param>
/// <param name="AdvisedBatchSize">The size that the next batch should have, in calls; 0 when the silo has no advice yet.</param>
/// <param name="Accepted">How many of them, from the first, the silo took before it refused; 0 with <see cref="BatchStatus.Accepted"/>, which means all.</param>
/// <param name="Outcome">The outcome of the one batch, when the request awaited it and it came soon; else null, and it goes to the run's <see cref="IRunObserver"/>.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.BatchAnswer")]
public sealed record BatchAnswer(
    [property: Id(0)] BatchStatus Status,
    [property: Id(1)] int AdvisedBatchSize,
    [property: Id(2)] int Accepted = 0,
    [property: Id(3)] BatchOutcome? Outcome = null);
