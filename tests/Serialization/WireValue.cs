namespace Orleans.Joblib.Tests;

[GenerateSerializer]
[Alias("Orleans.Joblib.Tests.WireValue")]
public struct WireValue
{
    [Id(0)]
    public int Number { get; set; }
}
