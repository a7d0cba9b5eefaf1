using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>What workloads over large arrays have in common: one <c>Parallel</c> for all runs, and joblib's loky as the peer.</summary>
internal abstract class ArrayWorkload : IWorkload
{
    private protected const double Gibibyte = 1L << 30;

    public abstract string Name { get; }

    public abstract string Unit { get; }

    /// <summary>The bytes of the array that all calls share; null where each has its own.</summary>
    private protected virtual long? Bytes => null;

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name);
        using var owned = Prepare(parallel, nJobs, out var measure);
        var fields = new JsonObject { ["n_jobs"] = nJobs };
        if (Bytes is { } bytes)
        {
            fields["bytes"] = bytes;
        }

        List<IContender> contenders = [new Contender(session.Name, measure) { Fields = fields }];
        if (options.Peers)
        {
            contenders.Add(new PythonPeer(options, Name, "joblib-loky", nJobs));
        }

        InterleavedRuns.Run(this, options, contenders, lines);
    }

    /// <summary>Makes what all runs use.</summary>
    /// <param name="parallel">What runs the calls.</param>
    /// <param name="nJobs">Its jobs.</param>
    /// <param name="measure">One run.</param>
    /// <returns>What ends with the last run; null for nothing.</returns>
    private protected abstract IDisposable? Prepare(JoblibParallel parallel, int nJobs, out Func<Measurement> measure);

    /// <summary>Starts workers that are not there.</summary>
    private protected static void WakeWorkers(JoblibParallel parallel, int calls) => parallel.Run(Enumerable.Range(0, calls).Select(i => Delayed(() => i)));
}
