namespace Orleans.Joblib;

/// <summary>How busy a cluster is at one moment.</summary>
/// <param name="Time">When.</param>
/// <param name="Slots">Workers.</param>
/// <param name="Busy">Workers that execute a batch.</param>
/// <param name="Queued">Batches that wait for a worker.</param>
/// <param name="CallsPerSecond">Calls that ended since the look before.</param>
internal readonly record struct LoadSample(DateTimeOffset Time, int Slots, int Busy, int Queued, double CallsPerSecond);
