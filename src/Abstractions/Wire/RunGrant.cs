namespace Orleans.Joblib;

/// <summary>The slots that a coordinator granted.</summary>
/// <param name="Slots">One entry a slot; a later grant of the same run replaces an earlier one.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunGrant")]
public sealed record RunGrant([property: Id(0)] SlotGrant[] Slots);
