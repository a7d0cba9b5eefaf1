using System.Diagnostics;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Cli;

/// <summary>Measures a cluster with the public loop, as a user's program would use it.</summary>
internal sealed class ClusterBench(IClusterClient client, int slots, TimeSpan time)
{
    private const int MostSingleCalls = 5_000;
    private const long LeastArrayBytes = 4L << 20;
    private const long MostArrayBytes = 256L << 20;
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(0.5);

    internal async Task<IReadOnlyList<BenchMeasure>> RunAsync(CancellationToken cancellationToken)
    {
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(client));
        var first = await OneCallAsync(parallel, cancellationToken).ConfigureAwait(false);
        return
        [
            new BenchMeasure("first-call", first.TotalSeconds, "s", 5, first.TotalSeconds <= 5, 1, "Opens the run, starts what is cold. Long: silos under load, or far away."),
            await LatencyAsync(parallel, cancellationToken).ConfigureAwait(false),
            await RateAsync(parallel, cancellationToken).ConfigureAwait(false),
            await ArraysAsync(cancellationToken).ConfigureAwait(false),
        ];
    }

    private static async Task<TimeSpan> OneCallAsync(JoblibParallel parallel, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await parallel.RunAsync([Delayed(ClusterProbe.Nothing, 1d)], cancellationToken).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(started);
    }

    private async Task<BenchMeasure> LatencyAsync(JoblibParallel parallel, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var times = new List<double>();
        do
        {
            times.Add((await OneCallAsync(parallel, cancellationToken).ConfigureAwait(false)).TotalSeconds);
        }
        while (times.Count < MostSingleCalls && Stopwatch.GetElapsedTime(started) < 0.2 * time);

        times.Sort();
        var median = times[times.Count / 2];
        return new BenchMeasure(
            "one-call", median, "s", 0.005, median <= 0.005, times.Count,
            "A loop of one call, the run open: the median. The network's round trip and 0.2 ms; long: silos under load, or a network of many hops.");
    }

    private async Task<BenchMeasure> RateAsync(JoblibParallel parallel, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var count = 0L;
        await foreach (var _ in parallel.StreamAsync(Calls(), ReturnAs.GeneratorUnordered, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            count++;
        }

        var rate = count / Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new BenchMeasure(
            "no-op-calls", rate, "calls/s", 200_000, rate >= 200_000, count,
            "Calls that do nothing, in one loop. Bound by this process's cores; low: this host or the silos are under load, or messages are slow (one-call).");

        IEnumerable<Delayed<double>> Calls()
        {
            for (var i = 0; Stopwatch.GetElapsedTime(started) < 0.4 * time; i++)
            {
                yield return Delayed(ClusterProbe.Nothing, (double)i);
            }
        }
    }

    private async Task<BenchMeasure> ArraysAsync(CancellationToken cancellationToken)
    {
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(client), batchSize: 1);
        var started = Stopwatch.GetTimestamp();
        var best = 0d;
        var sent = 0L;
        var random = new Random();
        for (var bytes = LeastArrayBytes; ; bytes = Math.Min(4 * bytes, MostArrayBytes))
        {
            var array = GC.AllocateUninitializedArray<double>((int)(bytes / sizeof(double)));
            Array.Fill(array, random.NextDouble());
            array[^1] = sent;
            var begun = Stopwatch.GetTimestamp();

            // One for each worker: every host has to have it.
            var ends = await parallel.RunAsync(Enumerable.Range(0, slots).Select(_ => Delayed(ClusterProbe.Ends, array)), cancellationToken).ConfigureAwait(false);
            var took = Stopwatch.GetElapsedTime(begun);
            if (ends.Any(value => value != array[0] + array[^1]))
            {
                throw new CommandException(ExitCode.Failed, "The silos read another array than was sent. This must not be: please report it.");
            }

            sent += bytes;
            best = Math.Max(best, bytes / took.TotalSeconds);
            if (took > LongEnough || bytes == MostArrayBytes || Stopwatch.GetElapsedTime(started) > 0.3 * time)
            {
                return new BenchMeasure(
                    "array", best, "bytes/s", 100_000_000, best >= 100_000_000, sent,
                    "A new array until every silo has read its ends. Samples: bytes. By shared memory over 1 GB/s where silos are on this host; else the network's rate, by blob storage (JOBLIB_BLOBS) once per host.");
            }
        }
    }
}
