namespace Orleans.Joblib;

/// <summary>A cluster at one moment.</summary>
/// <param name="Time">The moment, by this process's clock.</param>
/// <param name="Silos">Its silos.</param>
/// <param name="Runs">Open runs, and those that ended lately.</param>
internal sealed record ClusterView(DateTimeOffset Time, IReadOnlyList<SiloReport> Silos, IReadOnlyList<RunInfo> Runs);
