using BenchmarkDotNet.Attributes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>What a call costs before it goes anywhere. The bare closure is the floor: C# makes it whatever we do.</summary>
[MemoryDiagnoser]
public class DelayedBenchmarks
{
    private static readonly Func<int, int> Function = static x => x;
    private int _i;

    [Benchmark(Baseline = true)]
    public Func<int> BareClosure()
    {
        var i = _i++;
        return () => i;
    }

    [Benchmark]
    public Delayed<int> Lambda()
    {
        var i = _i++;
        return Delayed(() => i);
    }

    [Benchmark]
    public Delayed<int> FunctionAndArgument() => Delayed(Function, _i++);

    [Benchmark]
    public Delayed<double> MethodGroupAndArgument() => Delayed(Math.Sqrt, (double)_i++);
}
