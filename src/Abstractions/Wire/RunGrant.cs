namespace Orleans.Joblib;

/// <summary>The slots that a coordinator granted.</summary>
/// <param name="Slots">One entry a slot; a later grant of the same run replaces an earlier one. A slot that stays keeps its number.</param>
/// <param name="Protocol">The protocol version that the coordinator's silo speaks; 0 from one that knew none.</param>
/// <param name="Membership">The cluster's members as the coordinator's silo sees them; null from a silo that says nothing of them.</param>
/// <param name="HasEnded">Whether the run has ended for good: it was cancelled, and its client has not heard of that.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunGrant")]
public sealed record RunGrant(
    [property: Id(0)] SlotGrant[] Slots,
    [property: Id(1)] int Protocol = JoblibProtocol.Version,
    [property: Id(2)] ClusterMembers? Membership = null,
    [property: Id(3)] bool HasEnded = false);
