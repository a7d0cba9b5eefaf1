namespace Orleans.Joblib;

/// <summary>The slots that a coordinator granted.</summary>
/// <param name="Slots">One entry a slot; a later grant of the same run replaces an earlier one.</param>
/// <param name="Protocol">The protocol version that the coordinator's silo speaks; 0 from one that knew none.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunGrant")]
public sealed record RunGrant(
    [property: Id(0)] SlotGrant[] Slots,
    [property: Id(1)] int Protocol = JoblibProtocol.Version);
