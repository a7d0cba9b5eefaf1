using System.Diagnostics;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>One array of 1 GiB to eight calls: the first run, another array afterwards, and the same array again beside threads. All beside one plain write of it, just before and after.</summary>
internal sealed class LargeArrayWorkload : IWorkload
{
    private const int Elements = 128 << 20;
    private const int Calls = 8;

    // Kept segments go after five seconds: a first run is one that finds none.
    private static readonly TimeSpan SegmentsGo = TimeSpan.FromSeconds(6);

    public string Name => "array-1g";

    public string Unit => "ratio to a plain write";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        using var plain = new PlainWrite();
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name);
        using var threads = Parallel(nJobs, "threading");
        var array = new double[Elements];
        for (var i = 0; i < array.Length; i++)
        {
            array[i] = i % 1000;
        }

        var changes = 0;
        List<IContender> contenders = [new Contender(session.Name, Measure) { Fields = new JsonObject { ["n_jobs"] = nJobs, ["bytes"] = (long)Elements * sizeof(double) } }];
        if (options.Peers)
        {
            contenders.Add(new PythonPeer(options, Name, "joblib-loky", nJobs));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        Measurement Measure()
        {
            Thread.Sleep(SegmentsGo);
            parallel.Run(Enumerable.Range(0, nJobs).Select(i => Delayed(() => i)));
            array[changes]++;
            plain.Warm(array);
            var before = plain.Seconds(array);
            var first = Seconds(parallel, array, static (array, i) => array[i]);
            var memory = ProcessMemory.ProportionalBytes();
            var plainSeconds = (before + plain.Seconds(array)) / 2;
            array[++changes]++;
            var another = Seconds(parallel, array, static (array, i) => array[i]);
            Seconds(parallel, array, static (array, _) => TensorPrimitives.Sum<double>(array));
            var ours = new double[5];
            var theirs = new double[5];
            for (var i = 0; i < ours.Length; i++)
            {
                ours[i] = Seconds(parallel, array, static (array, _) => TensorPrimitives.Sum<double>(array));
                theirs[i] = Seconds(threads, array, static (array, _) => TensorPrimitives.Sum<double>(array));
            }

            return new Measurement(first / plainSeconds)
            {
                Details = new Dictionary<string, double>
                {
                    ["plain_write_s"] = plainSeconds,
                    ["first_run_s"] = first,
                    ["another_array_ratio"] = another / plainSeconds,
                    ["same_array_ms"] = Statistics.Median(ours) * 1000,
                    ["threads_ms"] = Statistics.Median(theirs) * 1000,
                    ["same_array_extra_ms"] = (Statistics.Median(ours) - Statistics.Median(theirs)) * 1000,
                    ["memory_copies"] = memory / (double)(Elements * (long)sizeof(double)),
                },
            };
        }
    }

    private static double Seconds(JoblibParallel parallel, double[] array, Func<double[], int, double> look)
    {
        var began = Stopwatch.GetTimestamp();
        var results = parallel.Run(Enumerable.Range(0, Calls).Select(i => Delayed(look, array, i)));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return results[^1] == look(array, Calls - 1) ? seconds : throw new InvalidOperationException($"The last call returned '{results[^1]}'.");
    }
}
