using BenchmarkDotNet.Attributes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>A whole run of a single call on workers that are kept.</summary>
[MemoryDiagnoser]
public class OneCallBenchmarks
{
    private readonly Delayed<int>[] _calls = [Delayed(() => 1)];
    private JoblibParallel _threading = null!;
    private JoblibParallel _sequential = null!;

    [GlobalSetup]
    public void Setup()
    {
        _threading = Parallel(nJobs: 2, backend: "threading");
        _sequential = Parallel(nJobs: 1, backend: "sequential");
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _threading.Dispose();
        _sequential.Dispose();
    }

    [Benchmark]
    public int[] Threading() => _threading.Run(_calls);

    [Benchmark]
    public Task<int[]> ThreadingAsync() => _threading.RunAsync(_calls);

    [Benchmark]
    public int[] Sequential() => _sequential.Run(_calls);

    [Benchmark(Baseline = true)]
    public int TaskRun() => Task.Run(static () => 1).GetAwaiter().GetResult();
}
