using Orleans.Placement;

namespace Orleans.Joblib.Silo;

/// <summary>Marks a grain whose key names its silo.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SlotPlacementAttribute() : PlacementAttribute(new SlotPlacement());
