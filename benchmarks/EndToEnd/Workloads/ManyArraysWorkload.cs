using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>64 arrays of 2 MiB, another for each of 64 calls, beside plain writes of as much to new files.</summary>
internal sealed class ManyArraysWorkload : IWorkload
{
    private const int Elements = 256 << 10;
    private const int Calls = 64;
    private const double Gibibyte = 1L << 30;

    public string Name => "arrays-64x2m";

    public string Unit => "GiB/s";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        using var plain = new PlainWrite();
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name);
        var arrays = Enumerable.Range(0, Calls).Select(_ => new double[Elements]).ToArray();
        var round = 0;
        List<IContender> contenders = [new Contender(session.Name, Measure) { Fields = new JsonObject { ["n_jobs"] = nJobs } }];
        if (options.Peers)
        {
            contenders.Add(new PythonPeer(options, Name, "joblib-loky", nJobs));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        Measurement Measure()
        {
            Thread.Sleep(TimeSpan.FromSeconds(6));
            round++;
            for (var i = 0; i < arrays.Length; i++)
            {
                arrays[i].AsSpan().Fill((round * Calls) + i);
            }

            parallel.Run(Enumerable.Range(0, 4 * nJobs).Select(i => Delayed(() => i)));

            // As much as client and workers are about to take.
            plain.Warm([.. arrays, .. arrays]);
            var before = plain.Seconds(arrays);
            var began = Stopwatch.GetTimestamp();
            var results = parallel.Run(arrays.Select(array => Delayed(static (double[] array) => array[0] + array[^1], array)));
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var after = plain.Seconds(arrays);
            var rate = Calls * (double)Elements * sizeof(double) / Gibibyte / seconds;
            return results[^1] == 2 * ((round * Calls) + Calls - 1)
                ? new Measurement(rate) { Details = new Dictionary<string, double> { ["ratio_to_plain_writes"] = (before + after) / 2 / seconds, ["plain_writes_s"] = (before + after) / 2 } }
                : throw new InvalidOperationException($"The last call returned '{results[^1]}'.");
        }
    }
}
