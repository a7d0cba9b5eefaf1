using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>What a coordinator knows of its run.</summary>
/// <param name="Running">Whether the run is open.</param>
/// <param name="Client">The client that opened it: machine/process.</param>
/// <param name="SlotsBySilo">Granted slots per silo.</param>
/// <param name="CompletedBatches">Batches that ended so far.</param>
/// <param name="CompletedCalls">Calls of those batches.</param>
/// <param name="FailedBatches">Batches in which a call failed.</param>
/// <param name="AdvisedBatchSize">The size that the next batches should have, in calls.</param>
/// <param name="SmoothedBatchDuration">The smoothed time of a batch of that size over all silos; zero until one has ended.</param>
/// <param name="RecentCompletions">Numbers of the batches that ended last, in the order of their completion; at most 1,024.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunStatus")]
public sealed record RunStatus(
    [property: Id(0)] bool Running,
    [property: Id(1)] string Client,
    [property: Id(2)] Dictionary<SiloAddress, int> SlotsBySilo,
    [property: Id(3)] long CompletedBatches,
    [property: Id(4)] long CompletedCalls,
    [property: Id(5)] long FailedBatches,
    [property: Id(6)] int AdvisedBatchSize,
    [property: Id(7)] TimeSpan SmoothedBatchDuration,
    [property: Id(8)] long[] RecentCompletions);
