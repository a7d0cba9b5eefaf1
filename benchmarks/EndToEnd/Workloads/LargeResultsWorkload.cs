using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>64 calls that each return an array of 16 MiB.</summary>
internal sealed class LargeResultsWorkload : IWorkload
{
    private const int Elements = 2 << 20;
    private const int Calls = 64;
    private const double Gibibyte = 1L << 30;

    public string Name => "results-64x16m";

    public string Unit => "GiB/s";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name);
        List<IContender> contenders = [new Contender(session.Name, Measure) { Fields = new JsonObject { ["n_jobs"] = nJobs } }];
        if (options.Peers)
        {
            contenders.Add(new PythonPeer(options, Name, "joblib-loky", nJobs));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        Measurement Measure()
        {
            parallel.Run(Enumerable.Range(0, nJobs).Select(i => Delayed(() => i)));

            // The machine's host is slow to give memory back: what the results will take was in use a moment ago.
            new double[Calls * Elements].AsSpan().Fill(1);
            GC.Collect();
            var began = Stopwatch.GetTimestamp();
            var results = parallel.Run(Enumerable.Range(0, Calls).Select(i => Delayed(Make, i)));
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            for (var i = 0; i < Calls; i++)
            {
                if (results[i].Length != Elements || results[i][i] != i || results[i][^1] != i)
                {
                    throw new InvalidOperationException($"Result {i} is another.");
                }
            }

            return new Measurement(Calls * (double)Elements * sizeof(double) / Gibibyte / seconds);
        }
    }

    private static double[] Make(int i)
    {
        var array = new double[Elements];
        array.AsSpan().Fill(i);
        return array;
    }
}
