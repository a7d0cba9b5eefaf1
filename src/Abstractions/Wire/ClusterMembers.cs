using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>The cluster's active silos at one version of its membership.</summary>
/// <param name="Version">Grows with every change; the higher of two is the newer.</param>
/// <param name="Active">Silos that are up.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ClusterMembers")]
public sealed record ClusterMembers(
    [property: Id(0)] long Version,
    [property: Id(1)] SiloAddress[] Active);
