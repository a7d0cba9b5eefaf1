namespace Orleans.Joblib.Tests;

[GenerateSerializer]
[Alias("Orleans.Joblib.Tests.WireGeneric`1")]
public sealed class WireGeneric<T>
{
    [Id(0)]
    public T Value { get; set; } = default!;
}
