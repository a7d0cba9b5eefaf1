using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Calls that sleep 50 ms on many slots (100 ms on 4 silos of 256 for silos in processes of their own): how well slots are kept filled. Efficiency = the ideal time / the time taken.</summary>
internal sealed class SlotsWorkload : IWorkload
{
    private const int Slots = 64;
    private const int CallsPerSlot = 40;
    private const int SleepsMeasured = 10;
    private const int RemoteSilos = 4;
    private const int RemoteSlots = 1024;
    private const int RemoteCallsPerSlot = 20;
    private static readonly TimeSpan CallTime = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RemoteCallTime = TimeSpan.FromMilliseconds(100);

    public string Name => "slots";

    public string Unit => "efficiency";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        var remote = options.Backend == BackendSession.OrleansRemote;
        var nJobs = options.NJobs ?? (remote ? RemoteSlots : Slots);
        var silos = remote ? RemoteSilos : 1;
        var callTime = remote ? RemoteCallTime : CallTime;
        using var session = BackendSession.Start(options.Backend, nJobs / silos, silos);
        var calls = options.Calls ?? ((remote ? RemoteCallsPerSlot : CallsPerSlot) * nJobs);
        var sleep = new SleepWork(callTime);
        using var parallel = Parallel(nJobs, session.Name, batchSize: options.BatchSize);
        List<IContender> contenders = [Side(session.Name, () => parallel.Run(Enumerable.Range(0, calls).Select(_ => Delayed(sleep.Run))), isPeer: false)];
        if (options.Peers)
        {
            contenders.Add(Side(EqualCallsPeers.Threads, () => EqualCallsPeers.RunThreads(sleep.Run, calls, nJobs)));
            contenders.Add(Side(NoOpPeers.Plinq, () => EqualCallsPeers.RunPlinq(sleep.Run, calls, nJobs)));
            contenders.Add(Side(NoOpPeers.ForEachAsync, () => EqualCallsPeers.RunForEachAsync(sleep.Run, calls, nJobs)));
            contenders.AddRange(PythonPeer.All.Select(peer => new PythonPeer(options, Name, peer, nJobs, calls)));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        Contender Side(string backend, Action run, bool isPeer = true) => new(backend, () => Efficiency(run, sleep.Run, callTime, calls, nJobs))
        {
            IsPeer = isPeer,
            Fields = new JsonObject { ["calls"] = calls, ["n_jobs"] = nJobs },
        };
    }

    private static Measurement Efficiency(Action run, Action sleep, TimeSpan callTime, int calls, int nJobs)
    {
        // A sleep takes longer by the timer's slack; how much is this machine's doing, not the loop's.
        var sleeps = new double[SleepsMeasured];
        for (var i = 0; i < sleeps.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            sleep();
            sleeps[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        var began = Stopwatch.GetTimestamp();
        run();
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var rounds = Math.Ceiling((double)calls / nJobs);
        var sleepMs = Statistics.Median(sleeps);
        return new Measurement(rounds * callTime.TotalSeconds / seconds)
        {
            Details = new Dictionary<string, double>
            {
                ["time_s"] = seconds,
                ["sleep_ms"] = sleepMs,
                ["efficiency_of_real_sleep"] = rounds * sleepMs / 1000 / seconds,
            },
        };
    }
}
