using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Large arrays on their way to worker processes of this host, and back.</summary>
public sealed class ProcessArrayTests : IDisposable
{
    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("loky")]
    [InlineData("multiprocessing")]
    public void Run_LargeArgumentsAndCaptures_ArriveAsTheyAre(string backend)
    {
        var small = Numbers(100);
        var large = Numbers(300_000);
        var huge = Numbers(6_000_000);
        var grid = new float[500, 700];
        grid[3, 4] = 5;
        Memory<double> memory = large.AsMemory(1000, 200_000);
        using var parallel = Parallel(nJobs: 2, backend: backend, tempFolder: _folder.Root);
        var sums = parallel.Run(Enumerable.Range(0, 6).Select(i => i % 2 == 0
            ? Delayed(() => small.Sum() + large.Sum() + huge.Sum() + grid[3, 4] + memory.Span[7])
            : Delayed(static (double[] a, double[] b, double[] c, float[,] d, Memory<double> e) => a.Sum() + b.Sum() + c.Sum() + d[3, 4] + e.Span[7], small, large, huge, grid, memory)));

        Assert.All(sums, sum => Assert.Equal(small.Sum() + large.Sum() + huge.Sum() + 5 + large[1007], sum));
    }

    [Theory]
    [InlineData("loky")]
    [InlineData("multiprocessing")]
    public void Run_LargeResults_AreTheCallersOwn(string backend)
    {
        using var parallel = Parallel(nJobs: 2, backend: backend, tempFolder: _folder.Root);
        var results = parallel.Run(Enumerable.Range(0, 8).Select(i => Delayed(Numbers, i % 2 == 0 ? 200_000 : 5_000_000)));

        for (var i = 0; i < results.Length; i++)
        {
            Assert.Equal(Numbers(i % 2 == 0 ? 200_000 : 5_000_000), results[i]);
            results[i][0] = i + 1;
        }

        Assert.Equal(Enumerable.Range(1, 8).Select(i => (double)i), results.Select(result => result[0]));
    }

    private static double[] Numbers(int length)
    {
        var numbers = new double[length];
        for (var i = 0; i < length; i++)
        {
            numbers[i] = i * 1.5;
        }

        return numbers;
    }
}
