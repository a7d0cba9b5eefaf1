using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>Places a grain on the silo that its key names.</summary>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.SlotPlacement")]
internal sealed class SlotPlacement : PlacementStrategy;
