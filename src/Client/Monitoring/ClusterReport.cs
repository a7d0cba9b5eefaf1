namespace Orleans.Joblib;

/// <summary>A cluster at one moment, for people and as JSON.</summary>
/// <param name="Cluster">Where it is, without user and password.</param>
/// <param name="Time">The moment, by this process's clock.</param>
/// <param name="Slots">Workers of all silos that take work.</param>
/// <param name="BusySlots">Those that execute a batch.</param>
/// <param name="QueuedBatches">Batches that wait for a worker.</param>
/// <param name="Silos">Its silos.</param>
/// <param name="Runs">Runs, the oldest first.</param>
internal sealed record ClusterReport(
    string Cluster, DateTimeOffset Time, int Slots, int BusySlots, int QueuedBatches, IReadOnlyList<SiloReportLine> Silos, IReadOnlyList<RunReportLine> Runs);
