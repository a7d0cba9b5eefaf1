using System.Diagnostics;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A memory-mapped array of 1 GiB to eight calls, beside calls without arguments: what its way costs, and what all processes together hold when every worker has read it.</summary>
internal sealed class MappedArrayWorkload : IWorkload
{
    private const int Elements = 128 << 20;
    private const int Calls = 8;
    private const int Trips = 50;

    public string Name => "memmap-in";

    public string Unit => "ms over an empty loop";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name);
        var path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"joblib-benchmark-{Guid.NewGuid():n}.npy");
        try
        {
            using (var made = MemmappedArray<double>.Create(path, [Elements]))
            {
                made.AsSpan().Fill(1);
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            using var array = Load<MemmappedArray<double>>(path, MmapMode.ReadOnly);
            List<IContender> contenders = [new Contender(session.Name, () => Measure(array)) { Fields = new JsonObject { ["n_jobs"] = nJobs, ["bytes"] = (long)Elements * sizeof(double) } }];
            if (options.Peers)
            {
                contenders.Add(new PythonPeer(options, Name, "joblib-loky", nJobs));
            }

            InterleavedRuns.Run(this, options, contenders, lines);
        }
        finally
        {
            File.Delete(path);
        }

        Measurement Measure(MemmappedArray<double> array)
        {
            var with = new double[Trips];
            var without = new double[Trips];
            for (var trip = 0; trip < Trips; trip++)
            {
                without[trip] = Seconds(() => parallel.Run(Enumerable.Range(0, Calls).Select(i => Delayed(() => (double)i))));
                with[trip] = Seconds(() => parallel.Run(Enumerable.Range(0, Calls).Select(i => Delayed(static (MemmappedArray<double> array, int i) => array[i], array, i))));
            }

            var sums = parallel.Run(Enumerable.Range(0, Calls).Select(_ => Delayed(static array => TensorPrimitives.Sum(array.AsReadOnlySpan()), array)));
            return sums.All(sum => sum == Elements)
                ? new Measurement((Statistics.Median(with) - Statistics.Median(without)) * 1000)
                {
                    Details = new Dictionary<string, double>
                    {
                        ["empty_ms"] = Statistics.Median(without) * 1000,
                        ["memory_copies"] = ProcessMemory.ProportionalBytes() / (double)(Elements * (long)sizeof(double)),
                    },
                }
                : throw new InvalidOperationException($"A worker's sum is not {Elements}.");
        }
    }

    private static double Seconds(Func<double[]> run)
    {
        var began = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
