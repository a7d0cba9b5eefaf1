using BenchmarkDotNet.Attributes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>A worker's part: making the calls of a batch, per call.</summary>
[MemoryDiagnoser]
public class BatchBenchmarks
{
    private const int Calls = 1000;

    private CallBatch<int> _one = null!;
    private CallBatch<int> _lambdas = null!;
    private CallBatch<int> _functions = null!;
    private Func<int>[] _bare = null!;
    private int[] _results = null!;

    [GlobalSetup]
    public void Setup()
    {
        var owner = new NoOwner();

        // As in a run: calls are made in the caller's context.
        var scope = new RunScope { Context = ExecutionContext.Capture()!, Timeout = null, ReportsCalls = false };
        _one = Batch(1, i => Delayed(() => i));
        _lambdas = Batch(Calls, i => Delayed(() => i));
        _functions = Batch(Calls, i => Delayed(static x => x, i));
        _bare = [.. Enumerable.Range(0, Calls).Select(i => (Func<int>)(() => i))];
        _results = new int[Calls];

        CallBatch<int> Batch(int count, Func<int, Delayed<int>> call) => new(owner, scope, 0, 0, [.. Enumerable.Range(0, count).Select(call)], count);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public int[] BareDelegates()
    {
        for (var i = 0; i < _bare.Length; i++)
        {
            _results[i] = _bare[i]();
        }

        return _results;
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public int ThousandLambdas() => Execute(_lambdas);

    [Benchmark(OperationsPerInvoke = Calls)]
    public int ThousandFunctions() => Execute(_functions);

    [Benchmark]
    public int BatchOfOne() => Execute(_one);

    private static int Execute(CallBatch<int> batch)
    {
        batch.Execute();
        return batch.Results[^1];
    }

    private sealed class NoOwner : IBatchOwner
    {
        public void BatchEnded(CallBatch batch, Exception? fault)
        {
        }

        public void CallEnded(bool failed)
        {
        }
    }
}
