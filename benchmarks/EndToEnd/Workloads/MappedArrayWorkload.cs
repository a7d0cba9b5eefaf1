using System.Diagnostics;
using System.Numerics.Tensors;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A memory-mapped array of 1 GiB to eight calls, beside calls without arguments: what its way costs, and what all processes together hold when every worker has read it.</summary>
internal sealed class MappedArrayWorkload : ArrayWorkload
{
    private const int Elements = 128 << 20;
    private const int Calls = 8;
    private const int Trips = 50;

    public override string Name => "memmap-in";

    public override string Unit => "ms over an empty loop";

    private protected override long? Bytes => Elements * (long)sizeof(double);

    private protected override IDisposable Prepare(JoblibParallel parallel, int nJobs, out Func<Measurement> measure)
    {
        var file = new MappedOnes(Elements);
        measure = () => Measure(file.Array);
        return file;

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

    /// <summary>Its file is removed with it.</summary>
    private sealed class MappedOnes : IDisposable
    {
        private readonly string _path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"joblib-benchmark-{Guid.NewGuid():n}.npy");

        internal MappedOnes(int length)
        {
            using (var made = MemmappedArray<double>.Create(_path, [length]))
            {
                made.AsSpan().Fill(1);
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            Array = Load<MemmappedArray<double>>(_path, MmapMode.ReadOnly);
        }

        internal MemmappedArray<double> Array { get; }

        public void Dispose()
        {
            Array.Dispose();
            File.Delete(_path);
        }
    }
}
