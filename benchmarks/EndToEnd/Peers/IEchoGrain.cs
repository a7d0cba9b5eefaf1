namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>The least that a grain can do: what Orleans itself costs.</summary>
public interface IEchoGrain : IGrainWithIntegerKey
{
    ValueTask<int> Echo(int value);
}
