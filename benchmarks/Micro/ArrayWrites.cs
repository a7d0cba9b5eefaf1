using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>What it costs to bring a 1 GiB array into shared memory, and into a worker's hands: every side in turn, beside one plain write of it to a new file.</summary>
/// <remarks>
/// BenchmarkDotNet runs one side after the other, and on a virtual machine memory that was freed a minute ago is slower than memory in use: here every round has all sides, and
/// the array is read through before each.
/// </remarks>
internal static class ArrayWrites
{
    private const int Elements = 128 << 20;

    internal static int Run(int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("joblib-benchmark-").FullName;
        Directory.Delete(folder);
        folder = Path.Combine("/dev/shm", Path.GetFileName(folder));
        Directory.CreateDirectory(folder);
        try
        {
            var sides = new Dictionary<string, List<double>>();
            var array = new double[Elements];
            for (var i = 0; i < array.Length; i++)
            {
                array[i] = i * 1.5;
            }

            for (var round = 0; round <= rounds; round++)
            {
                Round(folder, array, round, (side, time) =>
                {
                    // The first round compiles.
                    if (round > 0)
                    {
                        (sides.TryGetValue(side, out var times) ? times : sides[side] = []).Add(time.TotalMilliseconds);
                    }
                });
            }

            var both = sides["plain write, new file"];
            var plain = both.Where((_, i) => i % 2 == 0).Zip(both.Where((_, i) => i % 2 == 1), (before, after) => (before + after) / 2).ToList();
            foreach (var (side, times) in sides)
            {
                var ratios = times.Zip(plain, (ours, theirs) => ours / theirs).Order().ToList();
                Console.WriteLine(JsonSerializer.Serialize(new
                {
                    workload = "array-write",
                    side,
                    unit = "ms",
                    median = Median(times),
                    min = Math.Round(times.Min(), 1),
                    max = Math.Round(times.Max(), 1),
                    runs = times.Count,
                    bytes = (long)Elements * sizeof(double),
                    ratio_to_plain_write = Math.Round(ratios[ratios.Count / 2], 3),
                    values = times.Select(time => Math.Round(time, 1)),
                }));
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Round(string folder, double[] array, int round, Action<string, TimeSpan> report)
    {
        var file = Path.Combine(folder, "plain");

        // Both sides write to new pages: ours between two of the plain one's.
        Plain();
        Ours();
        Plain();

        void Plain()
        {
            Warm(file, array);
            Time("plain write, new file", () => Write(file, array));
            Time("plain write, existing file", () => Write(file, array));
            File.Delete(file);
        }

        void Ours()
        {
            using var store = new ArrayStore(new ArrayStoreOptions { TempFolder = folder });
            array[round] = -round;
            Warm(file, array);
            Time("store, new segment", () => store.Put(ArrayView.TryOf(array)!.Value).Dispose());
            Time("store, same array again", () => store.Put(ArrayView.TryOf(array)!.Value).Dispose());
            array[round + Elements / 2] = -round;
            var lease = default(ArrayLease);
            Time("store, another array, recycled segment", () => lease = store.Put(ArrayView.TryOf(array)!.Value));
            if (store.RecycledSegments != 1)
            {
                throw new InvalidOperationException("The segment was not recycled.");
            }

            var sum = 0.0;
            Time("sum of the array", () => sum = Sum(array));
            var reference = new ArrayReference(ArrayPlace.Segment, lease!.Segment.Path, lease.Segment.DataOffset, MmapMode.CopyOnWrite, [Elements], [1]);
            for (var run = 1; run <= 2; run++)
            {
                using var source = new StoreSource();
                var loaded = Array.Empty<double>();
                Time($"T[] of the segment, run {run}", () => loaded = (double[])source.Load(reference, typeof(double[])));
                Time($"sum of it, run {run}", () => Check(sum, Sum(loaded)));
                Time($"sum of it again, run {run}", () => Check(sum, Sum(loaded)));
            }

            lease.Dispose();
        }

        void Time(string name, Action action)
        {
            _ = Sum(array);
            var started = Stopwatch.GetTimestamp();
            action();
            report(name, Stopwatch.GetElapsedTime(started));
        }
    }

    // Pages that the machine's host has taken back cost far more than those it has not: both sides get pages that were used a moment ago.
    private static void Warm(string path, double[] array)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        for (var i = 0; i < 2; i++)
        {
            Write(path, array);
            File.Delete(path);
        }
    }

    private static void Check(double expected, double sum)
    {
        if (expected != sum)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The sum is {sum}, not {expected}."));
        }
    }

    private static void Write(string path, double[] array)
    {
        using var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write);
        var bytes = MemoryMarshal.AsBytes(array.AsSpan());
        RandomAccess.Write(file, bytes, 0);
    }

    private static double Sum(double[] array) => System.Numerics.Tensors.TensorPrimitives.Sum<double>(array);

    private static double Median(List<double> times) => Math.Round(times.Order().ElementAt(times.Count / 2), 1);
}
