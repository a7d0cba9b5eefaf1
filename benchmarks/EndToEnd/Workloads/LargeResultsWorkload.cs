using System.Diagnostics;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>64 calls that each return an array of 16 MiB.</summary>
internal sealed class LargeResultsWorkload : ArrayWorkload
{
    private const int Elements = 2 << 20;
    private const int Calls = 64;

    public override string Name => "results-64x16m";

    public override string Unit => "GiB/s";

    private protected override IDisposable? Prepare(JoblibParallel parallel, int nJobs, out Func<Measurement> measure)
    {
        measure = Measure;
        return null;

        Measurement Measure()
        {
            WakeWorkers(parallel, nJobs);

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
