using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A worker process is killed in the middle of a run: how much longer the run takes than one without. Beside it, what a worker occupies that has nothing to do.</summary>
internal sealed class KilledWorkerWorkload : IWorkload
{
    private const int Calls = 40;
    private static readonly TimeSpan Call = TimeSpan.FromMilliseconds(25);

    // Workers give memory back when they have had nothing to do for a second.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    public string Name => "killed-worker";

    public string Unit => "s";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var nJobs = options.NJobsOrCores;
        var calls = (options.Calls ?? Calls) * nJobs;
        using var parallel = Parallel(nJobs, session.Name, batchSize: 1);
        var contender = new Contender(session.Name, Measure) { Fields = new JsonObject { ["calls"] = calls, ["n_jobs"] = nJobs, ["call_ms"] = Call.TotalMilliseconds } };
        InterleavedRuns.Run(this, options, [contender], lines);

        Measurement Measure()
        {
            int[] workers = [];
            var whole = Seconds(() => workers = [.. parallel.Run(Naps()).Distinct()]);
            Thread.Sleep(Rest);
            var idle = workers.Max(ResidentMebibytes);
            using var victim = Process.GetProcessById(workers[0]);
            using var killing = new Timer(_ => victim.Kill(), null, Call * calls / nJobs / 2, Timeout.InfiniteTimeSpan);
            var killed = Seconds(() => parallel.Run(Naps()));
            return new Measurement(killed - whole) { Details = new Dictionary<string, double> { ["whole_s"] = whole, ["idle_worker_mib"] = idle } };
        }

        IEnumerable<Delayed<int>> Naps() => Enumerable.Range(0, calls).Select(_ => Delayed(() =>
        {
            Thread.Sleep(Call);
            return Environment.ProcessId;
        }));
    }

    private static double ResidentMebibytes(int id)
    {
        using var process = Process.GetProcessById(id);
        return process.WorkingSet64 / (double)(1 << 20);
    }

    private static double Seconds(Action run)
    {
        var began = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
