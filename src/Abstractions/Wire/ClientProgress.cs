namespace Orleans.Joblib;

/// <summary>How far a run has come, as its client sees it: all of its loops together.</summary>
/// <param name="Dispatched">Calls taken from the sequence and handed to the cluster.</param>
/// <param name="Completed">Calls whose results are with the client.</param>
/// <param name="Total">Calls in all; null until the sequence's length is known.</param>
/// <param name="Failure">The call that ended the run; null while none has.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ClientProgress")]
public sealed record ClientProgress(
    [property: Id(0)] long Dispatched,
    [property: Id(1)] long Completed,
    [property: Id(2)] long? Total,
    [property: Id(3)] RunFailure? Failure = null);
