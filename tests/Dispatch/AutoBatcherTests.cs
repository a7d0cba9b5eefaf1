using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class AutoBatcherTests
{
    private readonly AutoBatcher _batcher = new();

    [Fact]
    public void ComputeBatchSize_NothingLearned_IsOne()
    {
        Assert.Equal(1, _batcher.ComputeBatchSize());
        Assert.Equal(TimeSpan.Zero, _batcher.SmoothedDuration);
    }

    [Fact]
    public void ComputeBatchSize_FastBatches_DoublesAndStartsAfresh()
    {
        foreach (var size in (int[])[1, 2, 4, 8])
        {
            Complete(size, 0.001);
            Assert.Equal(2 * size, _batcher.ComputeBatchSize(out var change));
            Assert.Equal(new BatchSizeChange(2 * size, TimeSpan.FromSeconds(0.001), TooFast: true), change);
            Assert.Equal(TimeSpan.Zero, _batcher.SmoothedDuration);
            Assert.Equal(2 * size, _batcher.ComputeBatchSize(out change));
            Assert.Null(change);
        }
    }

    [Theory]
    [InlineData(0.15, 2)]
    [InlineData(0.199, 2)]
    [InlineData(0.2, 1)]
    [InlineData(2.0, 1)]
    [InlineData(50.0, 1)]
    public void ComputeBatchSize_FromOneCall_GrowsBelowAFifthOfASecondAndNeverShrinks(double seconds, int expected)
    {
        Complete(1, seconds);
        Assert.Equal(expected, _batcher.ComputeBatchSize());
    }

    [Theory]
    [InlineData(1.9, 16)]
    [InlineData(2.0, 16)]
    [InlineData(2.1, 2)]
    [InlineData(4.0, 1)]
    [InlineData(100.0, 1)]
    public void ComputeBatchSize_FromSixteenCalls_ShrinksAboveTwoSeconds(double seconds, int expected)
    {
        GrowTo(16);
        Complete(16, seconds);
        Assert.Equal(expected, _batcher.ComputeBatchSize(out var change));
        Assert.Equal(expected == 16 ? null : new BatchSizeChange(expected, TimeSpan.FromSeconds(seconds), TooFast: false), change);
    }

    [Fact]
    public void BatchCompleted_SeveralTimes_SmoothsEightToTwo()
    {
        Complete(1, 1);
        Assert.Equal(1, _batcher.SmoothedDuration.TotalSeconds, 6);
        Complete(1, 2);
        Assert.Equal(1.2, _batcher.SmoothedDuration.TotalSeconds, 6);
        Complete(1, 0.5);
        Assert.Equal(1.06, _batcher.SmoothedDuration.TotalSeconds, 6);
    }

    [Fact]
    public void BatchCompleted_AnotherSize_TeachesNothing()
    {
        Complete(2, 0.001);
        Complete(0, 0.001);
        Assert.Equal(TimeSpan.Zero, _batcher.SmoothedDuration);
        Assert.Equal(1, _batcher.ComputeBatchSize());
    }

    [Fact]
    public void Reset_AfterGrowth_IsOneAgain()
    {
        GrowTo(64);
        Complete(64, 0.5);
        _batcher.Reset();
        Assert.Equal((1, TimeSpan.Zero), (_batcher.ComputeBatchSize(), _batcher.SmoothedDuration));
    }

    [Fact]
    public void ComputeBatchSize_CallsOfNanoseconds_StopsAtTheCap()
    {
        GrowTo(AutoBatcher.DefaultMaxCalls);
        Complete(AutoBatcher.DefaultMaxCalls, 1e-6);
        Assert.Equal(8192, _batcher.ComputeBatchSize(out var change));
        Assert.Null(change);
    }

    // Before the fix the size that it had found for quick calls stayed for ever, since no batch of that size ever came back.
    [Theory]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(10)]
    public void ComputeBatchSize_SlowBatchesOfABoundedSize_Shrinks(int bounded)
    {
        GrowTo(32);
        _batcher.Dispatches(16);
        Complete(bounded, 1.9);
        Assert.InRange(_batcher.ComputeBatchSize(out var change), 1, 16);
        Assert.Equal(new BatchSizeChange(_batcher.ComputeBatchSize(), TimeSpan.FromSeconds(1.9 * 32 / bounded), TooFast: false), change);
    }

    [Fact]
    public void ComputeBatchSize_FastBatchesOfABoundedSize_StaysUntilTheBoundIsLifted()
    {
        GrowTo(32);
        for (var i = 0; i < 3; i++)
        {
            _batcher.Dispatches(16);
            Complete(16, 0.001);
            Assert.Equal(32, _batcher.ComputeBatchSize());
        }

        Complete(32, 0.001);
        Assert.Equal(64, _batcher.ComputeBatchSize());
    }

    [Fact]
    public void BatchCompleted_TailOfABoundedSize_TeachesNothing()
    {
        GrowTo(32);
        _batcher.Dispatches(16);
        Complete(8, 30);
        Complete(1, 30);
        Assert.Equal(TimeSpan.Zero, _batcher.SmoothedDuration);
    }

    [Fact]
    public void AutoBatcher_BoundsOutOfRange_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new AutoBatcher(minDuration: TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AutoBatcher(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AutoBatcher(maxCalls: 0));
    }

    private void GrowTo(int size)
    {
        while (_batcher.ComputeBatchSize() < size)
        {
            Complete(_batcher.ComputeBatchSize(), 1e-6);
        }
    }

    private void Complete(int size, double seconds) => _batcher.BatchCompleted(size, TimeSpan.FromSeconds(seconds));
}
