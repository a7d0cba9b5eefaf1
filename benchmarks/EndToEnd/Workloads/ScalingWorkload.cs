using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Calls that compute for 50 ms: how much of n cores arrives. Efficiency = sequential time / parallel time / nJobs.</summary>
internal sealed class ScalingWorkload : IWorkload
{
    private const int CallsPerJob = 40;
    private static readonly TimeSpan CallTime = TimeSpan.FromMilliseconds(50);

    public string Name => "scaling";

    public string Unit => "efficiency";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var nJobs = options.NJobsOrCores;
        var calls = options.Calls ?? (CallsPerJob * nJobs);
        using var parallel = Parallel(nJobs, session.Name, batchSize: options.BatchSize);
        var work = SpinWork.Lasting(CallTime);
        List<IContender> contenders =
        [
            Side(session.Name, () => parallel.Run(Enumerable.Range(0, calls).Select(_ => Delayed(work.Run))), isPeer: false),
        ];
        if (options.Peers)
        {
            contenders.Add(Side(EqualCallsPeers.Threads, () => EqualCallsPeers.RunThreads(Call, calls, nJobs)));
            contenders.Add(Side(NoOpPeers.Plinq, () => EqualCallsPeers.RunPlinq(Call, calls, nJobs)));
            contenders.Add(Side(NoOpPeers.ForEachAsync, () => EqualCallsPeers.RunForEachAsync(Call, calls, nJobs)));
            contenders.AddRange(PythonPeer.All.Select(peer => new PythonPeer(options, Name, peer, nJobs, calls)));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        void Call() => work.Run();

        Contender Side(string backend, Action run, bool isPeer = true) => new(backend, () => Efficiency(Call, run, calls, nJobs))
        {
            IsPeer = isPeer,
            Fields = new JsonObject { ["calls"] = calls, ["n_jobs"] = nJobs },
        };
    }

    private static Measurement Efficiency(Action call, Action run, int calls, int nJobs)
    {
        // Half the sequential calls before and half after: a machine that drifts drifts for both.
        var before = Sequential(calls / 2);
        var began = Stopwatch.GetTimestamp();
        run();
        var parallel = Stopwatch.GetElapsedTime(began);
        var sequential = before + Sequential(calls - (calls / 2));
        return new Measurement(sequential / parallel / nJobs)
        {
            Details = new Dictionary<string, double>
            {
                ["parallel_s"] = parallel.TotalSeconds,
                ["sequential_s"] = sequential.TotalSeconds,
                ["call_ms"] = sequential.TotalMilliseconds / calls,
            },
        };

        TimeSpan Sequential(int count)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
            {
                call();
            }

            return Stopwatch.GetElapsedTime(start);
        }
    }
}
