namespace Orleans.Joblib.Tests;

[GenerateSerializer]
[Alias("Orleans.Joblib.Tests.WireThing")]
public sealed class WireThing
{
    [Id(0)]
    public int Kept { get; set; }

    // Orleans does not carry it, which tells whose work the copy is.
    [field: NonSerialized]
    public int Dropped { get; set; }
}
