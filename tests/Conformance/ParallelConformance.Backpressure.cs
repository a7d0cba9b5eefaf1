using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    /// <summary>At every step the consumer idles until the run has gone as far as it may, and looks how far that was.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 1, 2)]
    [InlineData(5, 1, 5)]
    [InlineData(11, 1, 11)]
    [InlineData(8, 100, 8)]
    [InlineData(9, 100, 9)]
    [InlineData(10, 100, 10)]
    [InlineData(null, 1, 8)]
    public void Stream_IdleConsumer_BoundsTheCallsMade(int? maxUnconsumed, int batchSize, int bound)
    {
        const int Total = 40;
        if (!Traits.SupportsStreams)
        {
            return;
        }

        using var meeting = new Rendezvous();
        var sequence = new CountedSequence<int>(Enumerable.Range(0, Total).Select(i => Delayed(() =>
        {
            meeting.Add("made");
            return i;
        })));
        using var parallel = NewParallel(batchSize: batchSize);
        using var results = parallel.Stream((IEnumerable<Delayed<int>>)sequence, maxUnconsumed: maxUnconsumed).GetEnumerator();
        for (var consumed = 0; consumed < Total; consumed++)
        {
            // A batch counts as consumed when the consumer asks for what comes behind it. The bound is met exactly with batches of one call.
            if (batchSize == 1 && !Traits.RunsCallsHere)
            {
                var least = Math.Min(Total, Math.Max(0, consumed - 1) + bound);
                Patience.Until(() => meeting.Count("made") >= least, $"{least} calls to be made while {consumed} are consumed");
            }

            var ahead = meeting.Count("made") - consumed;
            Assert.True(ahead <= bound, $"{ahead} calls were made beyond the {consumed} consumed; the bound is {bound}.");
            Assert.InRange(sequence.Taken - consumed, 0, Traits.RunsCallsHere ? batchSize : (2 * bound) + NJobs);
            Assert.True(Patience.Within(results.MoveNext));
            Assert.Equal(consumed, results.Current);
        }

        Assert.False(Patience.Within(results.MoveNext));
    }

    [Theory]
    [InlineData(ReturnAs.Generator)]
    [InlineData(ReturnAs.GeneratorUnordered)]
    public void Stream_MaxUnconsumedOne_StillGivesEverything(ReturnAs order)
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        using var parallel = NewParallel();
        var results = Patience.Within(() => parallel.Stream(Squares(200), order, maxUnconsumed: 1).ToArray());
        Assert.Equal(Enumerable.Range(0, 200).Select(Square), results.Order());
    }

    [Fact]
    public void Stream_PreDispatchAll_TakesNoMoreThanTheBound()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        var sequence = new CountedSequence<int>(Squares(int.MaxValue));
        using var parallel = NewParallel(preDispatch: "all", batchSize: 1);
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Stream((IEnumerable<Delayed<int>>)sequence, maxUnconsumed: 6).Take(3).ToArray()));
        Assert.InRange(sequence.Taken, 3, 3 + (2 * 6) + NJobs);
    }
}
