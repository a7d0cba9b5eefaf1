namespace Orleans.Joblib.Tests;

[GenerateSerializer]
[Alias("Orleans.Joblib.Tests.ForeignSurrogate")]
public struct ForeignSurrogate
{
    [Id(0)]
    public string Text { get; set; }
}
