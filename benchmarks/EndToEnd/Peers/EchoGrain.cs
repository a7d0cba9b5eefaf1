namespace Orleans.Joblib.Benchmarks.EndToEnd;

public sealed class EchoGrain : Grain, IEchoGrain
{
    public ValueTask<int> Echo(int value) => new(value);
}
