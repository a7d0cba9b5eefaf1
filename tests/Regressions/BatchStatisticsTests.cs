using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

// joblib 1.6, test_backend_batch_statistics_reset. Before the fix a loop of slow calls began with the batch size that a loop of quick ones had left behind.
public sealed class BatchStatisticsTests
{
    [Fact]
    public void Run_AnotherParallelTakesTheWorkersOver_BeginsWithBatchesOfOne()
    {
        var backend = new ThreadingBackend();
        RunQuickCalls(Parallel(nJobs: 2, backend));
        Assert.True(backend.ComputeBatchSize() > 1);
        Parallel(nJobs: 2, backend).Run(Array.Empty<Delayed<int>>());
        Assert.Equal(1, backend.ComputeBatchSize());
    }

    [Fact]
    public void Run_SameParallelAgain_KeepsTheBatchSize()
    {
        var backend = new ThreadingBackend();
        using var parallel = Parallel(nJobs: 2, backend);
        RunQuickCalls(parallel);
        var size = backend.ComputeBatchSize();
        Assert.True(size > 1);
        parallel.Run(Array.Empty<Delayed<int>>());
        Assert.True(backend.ComputeBatchSize() > 1);
    }

    private static void RunQuickCalls(JoblibParallel parallel) => parallel.Run(Enumerable.Range(0, 100_000).Select(i => Delayed(() => i)));
}
