using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Calls that do nothing, through <c>Run</c>: what the loop itself costs.</summary>
internal sealed class NoOpWorkload : IWorkload
{
    private const int Calls = 10_000_000;
    private const int CallsOneByOne = 1_000_000;
    private const int InFlight = 256;

    public string Name => "noop";

    public string Unit => "calls/s";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var oneByOne = options.BatchSize == 1;
        var calls = options.Calls ?? (oneByOne ? CallsOneByOne : Calls);
        var nJobs = options.NJobsOrCores;
        var parallel = Parallel(nJobs, session.Name, preDispatch: oneByOne ? InFlight : default(PreDispatch?), batchSize: options.BatchSize);
        Func<int[]> run = options.Backend == BackendSession.OrleansRemote
            ? () => parallel.Run(Enumerable.Range(0, calls).Select(TwoInts))
            : () => parallel.Run(Enumerable.Range(0, calls).Select(i => Delayed(() => i)));
        List<IContender> contenders = [Side(session.Name, run, parallel)];
        if (options.Peers)
        {
            if (oneByOne && session.BareCall is { } bareCall)
            {
                var grains = new EchoCalls(bareCall, InFlight);
                contenders.Add(Side("grain-call", () => grains.Run(calls)));
            }

            contenders.Add(Side(NoOpPeers.Plinq, () => NoOpPeers.RunPlinq(calls, nJobs)));
            contenders.Add(Side(NoOpPeers.ForEachAsync, () => NoOpPeers.RunForEachAsync(calls, nJobs).GetAwaiter().GetResult()));
            contenders.AddRange(PythonPeer.All.Select(peer => new PythonPeer(options, Name, peer, nJobs, Math.Min(calls, PythonCalls(peer, oneByOne)))));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        Contender Side(string backend, Func<int[]> run, JoblibParallel? owned = null) => new(backend, () => Rate(run, calls))
        {
            IsPeer = owned is null,
            Owned = owned,
            Fields = new JsonObject
            {
                ["calls"] = calls,
                ["n_jobs"] = nJobs,
                ["batch_size"] = owned is null ? null : options.BatchSize.ToString(),
                ["in_flight"] = oneByOne && (owned is not null || backend == "grain-call") ? InFlight : null,
            },
        };
    }

    /// <summary>A closure of two numbers: what travels.</summary>
    private static Delayed<int> TwoInts(int i)
    {
        var zero = i - i;
        return Delayed(() => i + zero);
    }

    /// <summary>Calls per second of one run, whose results are looked at and let go.</summary>
    internal static Measurement Rate(Func<int[]> run, int calls)
    {
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var began = Stopwatch.GetTimestamp();
        var results = run();
        var elapsed = Stopwatch.GetElapsedTime(began);
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        return results.Length == calls && results[0] == 0 && results[^1] == calls - 1
            ? new Measurement(calls / elapsed.TotalSeconds) { Details = new Dictionary<string, double> { ["bytes_per_call"] = (double)allocated / calls } }
            : throw new InvalidOperationException("A run lost results or their order.");
    }

    // Seconds a run, not minutes: Python's dispatch costs it tens of microseconds to milliseconds a call.
    private static int PythonCalls(string peer, bool oneByOne) => (peer, oneByOne) switch
    {
        ("joblib-loky", false) => 100_000,
        ("joblib-loky", true) => 5_000,
        ("dask", true) => 500,
        _ => 20_000,
    };
}
