using BenchmarkDotNet.Attributes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>A run of 100,000 calls that do nothing, per call; every side makes a closure per call and gives results in order.</summary>
[MemoryDiagnoser]
public class NoOpCallsBenchmarks
{
    private const int Calls = 100_000;

    private readonly int _nJobs = Environment.ProcessorCount;
    private JoblibParallel _threading = null!;

    [GlobalSetup]
    public void Setup() => _threading = Parallel(_nJobs, backend: "threading");

    [GlobalCleanup]
    public void Cleanup() => _threading.Dispose();

    [Benchmark(OperationsPerInvoke = Calls)]
    public int[] Threading() => _threading.Run(Enumerable.Range(0, Calls).Select(i => Delayed(() => i)));

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public int[] Plinq() => Enumerable.Range(0, Calls)
        .Select(i => (Func<int>)(() => i))
        .AsParallel()
        .AsOrdered()
        .WithDegreeOfParallelism(_nJobs)
        .Select(f => f())
        .ToArray();

    [Benchmark(OperationsPerInvoke = Calls)]
    public async Task<int[]> ForEachAsync()
    {
        var results = new int[Calls];
        await System.Threading.Tasks.Parallel.ForEachAsync(
            Enumerable.Range(0, Calls).Select(i => (Index: i, Function: (Func<int>)(() => i))),
            new ParallelOptions { MaxDegreeOfParallelism = _nJobs },
            (call, _) =>
            {
                results[call.Index] = call.Function();
                return ValueTask.CompletedTask;
            });
        return results;
    }
}
