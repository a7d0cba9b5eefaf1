using BenchmarkDotNet.Attributes;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>What the size heuristic adds to every batch: one question before it, one lesson after it.</summary>
[MemoryDiagnoser]
public class AutoBatcherBenchmarks
{
    private readonly AutoBatcher _steady = new();
    private readonly AutoBatcher _growing = new();

    [Benchmark]
    public int SteadySize()
    {
        var size = _steady.ComputeBatchSize();
        _steady.BatchCompleted(size, TimeSpan.FromSeconds(1));
        return size;
    }

    [Benchmark]
    public int SizeGrownToItsBoundAndReset()
    {
        int size;
        do
        {
            size = _growing.ComputeBatchSize();
            _growing.BatchCompleted(size, TimeSpan.FromTicks(size));
        }
        while (size < _growing.MaxCalls);
        _growing.Reset();
        return size;
    }
}
