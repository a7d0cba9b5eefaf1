namespace Orleans.Joblib;

/// <summary>A silo, for people and as JSON. Figures are null when it does not answer.</summary>
/// <param name="Silo">Its address with its start: what 'drain' takes.</param>
/// <param name="State">Whether it takes work.</param>
/// <param name="Fault">Why there are no figures.</param>
/// <param name="Machine">Its host's name.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="UpSeconds">How long it has been up.</param>
/// <param name="Slots">Its workers; 0 while it drains.</param>
/// <param name="BusySlots">Workers that execute a batch.</param>
/// <param name="QueuedBatches">Batches that wait for a worker.</param>
/// <param name="Runs">Open runs with slots there.</param>
/// <param name="WorkerKind">threads or processes.</param>
/// <param name="WorkerProcesses">Worker processes that it has now.</param>
/// <param name="ThreadsPerCall">Threads that one call may use where its run does not say.</param>
/// <param name="EndedBatches">Batches that ended since its start.</param>
/// <param name="Cores">Cores that it may use.</param>
/// <param name="CoresUsed">Cores that its process used since the look before; null at the first.</param>
/// <param name="WorkingSetBytes">Memory in use by its process.</param>
/// <param name="MemoryLimitBytes">Memory that it may use.</param>
/// <param name="Arrays">Large arrays in shared memory of its host, of this user's clients and silos.</param>
/// <param name="ArrayBytes">Their bytes.</param>
internal sealed record SiloReportLine(
    string Silo,
    SiloState State,
    string? Fault,
    string? Machine,
    int? ProcessId,
    double? UpSeconds,
    int? Slots,
    int? BusySlots,
    int? QueuedBatches,
    int? Runs,
    string? WorkerKind,
    int? WorkerProcesses,
    int? ThreadsPerCall,
    long? EndedBatches,
    int? Cores,
    double? CoresUsed,
    long? WorkingSetBytes,
    long? MemoryLimitBytes,
    int? Arrays,
    long? ArrayBytes)
{
    internal static SiloReportLine Of(SiloReport report) => report.View is not { } view
        ? new SiloReportLine(Name(report), SiloState.Silent, report.Fault, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)
        : new SiloReportLine(
            Name(report),
            view.Slots.Draining ? SiloState.Draining : SiloState.Open,
            null,
            view.Machine,
            view.ProcessId,
            Math.Round(view.UpFor.TotalSeconds, 1),
            view.Slots.Size,
            view.Slots.Busy,
            view.Slots.Queued,
            view.Slots.Runs,
            view.InProcesses ? "processes" : "threads",
            view.WorkerProcesses,
            view.ThreadsPerCall,
            view.EndedCount,
            view.Cores,
            report.CoresUsed is { } used ? Math.Round(used, 2) : null,
            view.WorkingSet,
            view.MemoryLimit,
            view.Arrays,
            view.ArrayBytes);

    internal static string Name(SiloReport report) => report.Address.ToParsableString();
}
