using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class BoundedBatchSizeTests
{
    // Before the fix the size that quick calls had led to, beyond what maxUnconsumed lets out, stayed for the slow ones: no batch of that size came back to teach it.
    [Fact]
    public void Stream_CallsBecomeSlowWhileMaxUnconsumedBoundsTheirBatches_BatchesShrink()
    {
        var backend = new TimedBackend();
        using var parallel = Parallel(2, backend);
        Assert.Equal(2000, parallel.Stream(Enumerable.Range(0, 2000).Select(i => Delayed(() => i)), maxUnconsumed: 64).Count());
        Assert.Equal(16, backend.Sizes.Max());
        Assert.All(backend.Sizes[^100..], size => Assert.Equal(1, size));
    }

    /// <summary>The first thousand calls take a millisecond each, the others 5 s: by the clock that it tells the library of.</summary>
    private sealed class TimedBackend : AutoBatchingBackend
    {
        private int _completed;

        internal List<int> Sizes { get; } = [];

        public override int EffectiveNJobs(int nJobs) => nJobs;

        public override void BatchCompleted(int batchSize, TimeSpan duration) =>
            base.BatchCompleted(batchSize, TimeSpan.FromSeconds(batchSize * ((_completed += batchSize) < 1000 ? 0.001 : 5)));

        public override void Submit(CallBatch batch)
        {
            Sizes.Add(batch.Count);
            batch.Execute();
            batch.Complete();
        }
    }
}
