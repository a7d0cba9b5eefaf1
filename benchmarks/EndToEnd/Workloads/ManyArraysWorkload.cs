using System.Diagnostics;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>64 arrays of 2 MiB, another for each of 64 calls, beside plain writes of as much to new files.</summary>
internal sealed class ManyArraysWorkload : ArrayWorkload
{
    private const int Elements = 256 << 10;
    private const int Calls = 64;

    public override string Name => "arrays-64x2m";

    public override string Unit => "GiB/s";

    private protected override IDisposable Prepare(JoblibParallel parallel, int nJobs, out Func<Measurement> measure)
    {
        var plain = new PlainWrite();
        var arrays = Enumerable.Range(0, Calls).Select(_ => new double[Elements]).ToArray();
        var round = 0;
        measure = Measure;
        return plain;

        Measurement Measure()
        {
            Thread.Sleep(TimeSpan.FromSeconds(6));
            round++;
            for (var i = 0; i < arrays.Length; i++)
            {
                arrays[i].AsSpan().Fill((round * Calls) + i);
            }

            WakeWorkers(parallel, 4 * nJobs);

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
