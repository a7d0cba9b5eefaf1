namespace Orleans.Joblib.Cli;

/// <summary>What 'bench' measured.</summary>
/// <param name="Cluster">Where it is, without user and password.</param>
/// <param name="Silos">Silos that take work.</param>
/// <param name="Slots">Their workers.</param>
/// <param name="BusySlots">Workers that had somebody else's batches when it began.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Measures">What it measured.</param>
internal sealed record BenchReport(string Cluster, int Silos, int Slots, int BusySlots, double Seconds, IReadOnlyList<BenchMeasure> Measures);
