using Orleans;

namespace TravelCases;

[GenerateSerializer]
[Alias("TravelCases.WireCase")]
public sealed class WireCase
{
    [Id(0)]
    public int Kept { get; set; }

    [field: NonSerialized]
    public int Dropped { get; set; }
}
