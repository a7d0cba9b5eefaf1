using System.Diagnostics;
using System.Numerics.Tensors;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>One array of 1 GiB to eight calls: the first run, another array afterwards, and the same array again beside threads. All beside one plain write of it, just before and after.</summary>
internal sealed class LargeArrayWorkload : ArrayWorkload
{
    private const int Elements = 128 << 20;
    private const int Calls = 8;

    // Kept segments go after five seconds: a first run is one that finds none.
    private static readonly TimeSpan SegmentsGo = TimeSpan.FromSeconds(6);

    public override string Name => "array-1g";

    public override string Unit => "ratio to a plain write";

    private protected override long? Bytes => Elements * (long)sizeof(double);

    private protected override IDisposable Prepare(JoblibParallel parallel, int nJobs, out Func<Measurement> measure)
    {
        var plain = new PlainWrite();
        var threads = Parallel(nJobs, "threading");
        var array = new double[Elements];
        for (var i = 0; i < array.Length; i++)
        {
            array[i] = i % 1000;
        }

        var changes = 0;
        measure = Measure;
        return plain;

        Measurement Measure()
        {
            Thread.Sleep(SegmentsGo);
            WakeWorkers(parallel, nJobs);
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
