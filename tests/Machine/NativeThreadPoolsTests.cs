using System.Runtime.InteropServices;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Machine;

/// <summary>A library whose number counts for the process has the smallest that runs ask for while they run, and its own after them.</summary>
[Collection(ProcessWideCollection.Name)]
public sealed unsafe class NativeThreadPoolsTests
{
    private const string Absent = "There is no libopenblas.so.0 (Debian: libopenblas0-pthread).";

    [Fact]
    public void OpenBlas_WhileRunsWork_HasTheSmallestNumberAndItsOwnAfterwards()
    {
        Assert.SkipUnless(NativeLibrary.TryLoad("libopenblas.so.0", out var library), Absent);
        var get = (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(library, "openblas_get_num_threads");
        var set = (delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(library, "openblas_set_num_threads");
        set(6);
        using var inWide = new ManualResetEventSlim();
        using var endWide = new ManualResetEventSlim();
        var wide = Task.Run(() => Under(5, () =>
        {
            inWide.Set();
            Patience.Await(endWide, "the other run");
            return get();
        }));
        Patience.Await(inWide, "the first run's calls");
        Patience.Until(() => get() == 5, "the library to be found and held to 5 threads");

        // Calls of another run ask for less: all have less, as the number is one for the process.
        Assert.All(Under(2, () => get()), threads => Assert.Equal(2, threads));
        Patience.Until(() => get() == 5, "the end of the second run");
        endWide.Set();
        Assert.All(Patience.Await(wide, "the first run"), threads => Assert.Equal(5, threads));
        Patience.Until(() => get() == 6, "the library to have its own number again");
        Assert.Contains(NativeThreadPools.All, pool => pool.Kind == "OpenBLAS" && !pool.IsPerThread);

        int[] Under(int threads, Func<int> call)
        {
            using var config = ParallelConfig("threading", nJobs: 2, innerMaxNumThreads: threads);
            using var parallel = Parallel(batchSize: 1);
            return parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(call)));
        }
    }

    [Theory]
    [InlineData(2, 8, false, 2)]
    [InlineData(8, 2, false, 2)]
    [InlineData(8, 2, true, 8)]
    [InlineData(2, 8, true, 2)]
    public void Threads_LimitAndOwnNumber_RaisesOnlyWhenAsked(int limit, int original, bool asked, int expected)
    {
        Assert.SkipUnless(OpenMp.IsThere, OpenMp.Absent);
        NativeThreadPools.LookNow();
        var pool = NativeThreadPools.All.First(pool => pool.Kind == "OpenMP");
        Assert.Equal(expected, NativeThreadPools.Threads(pool, original, new ThreadLimit(limit, asked)));
    }
}
