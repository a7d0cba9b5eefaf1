namespace Orleans.Joblib;

/// <summary>A run as its coordinator knows it, for people who look at the cluster.</summary>
/// <param name="Run">The run.</param>
/// <param name="Client">The client that opened it: machine/process.</param>
/// <param name="Name">What it runs, as the client names it.</param>
/// <param name="State">Where it stands.</param>
/// <param name="StartedAt">When it was opened, by the coordinator's clock.</param>
/// <param name="EndedAt">When it ended; null while it is open.</param>
/// <param name="Slots">Slots that it holds.</param>
/// <param name="CompletedBatches">Batches that silos have reported.</param>
/// <param name="CompletedCalls">Calls of those batches.</param>
/// <param name="FailedBatches">Batches in which a call failed.</param>
/// <param name="BatchSize">The advised size of a batch, in calls.</param>
/// <param name="BatchDuration">The smoothed time of a batch of that size; zero until one has ended.</param>
/// <param name="Progress">What the client says of it, once a second at most; null until it has.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunInfo")]
public sealed record RunInfo(
    [property: Id(0)] Guid Run,
    [property: Id(1)] string Client,
    [property: Id(2)] string Name,
    [property: Id(3)] RunState State,
    [property: Id(4)] DateTimeOffset StartedAt,
    [property: Id(5)] DateTimeOffset? EndedAt,
    [property: Id(6)] int Slots,
    [property: Id(7)] long CompletedBatches,
    [property: Id(8)] long CompletedCalls,
    [property: Id(9)] long FailedBatches,
    [property: Id(10)] int BatchSize,
    [property: Id(11)] TimeSpan BatchDuration,
    [property: Id(12)] ClientProgress? Progress);
