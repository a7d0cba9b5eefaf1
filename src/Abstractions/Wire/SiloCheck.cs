namespace Orleans.Joblib;

/// <summary>A silo's answer to a client that asks after its run.</summary>
/// <param name="KnowsRun">Whether the run has slots here; if not, its batches here are lost.</param>
/// <param name="InHand">The handles of the run's batches here, those included whose outcome is not yet acknowledged.</param>
/// <param name="Membership">The cluster's members as this silo sees them.</param>
/// <param name="Queued">Those batches of the run that no worker has taken up yet.</param>
/// <param name="Idle">Workers of the silo that have nothing to do, nor will have for what is queued, and that the run may have by its slots here.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.SiloCheck")]
public sealed record SiloCheck(
    [property: Id(0)] bool KnowsRun,
    [property: Id(1)] long[] InHand,
    [property: Id(2)] ClusterMembers Membership,
    [property: Id(3)] int Queued = 0,
    [property: Id(4)] int Idle = 0);
