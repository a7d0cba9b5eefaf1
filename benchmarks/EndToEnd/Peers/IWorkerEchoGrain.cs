namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>The least that a grain can do whose work runs on a thread of its own: what leaving Orleans' scheduler costs.</summary>
public interface IWorkerEchoGrain : IGrainWithIntegerKey
{
    Task<int> Echo(int value);
}
