using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Theory]
    [InlineData(0, "auto")]
    [InlineData(1, "auto")]
    [InlineData(2, "auto")]
    [InlineData(3, "auto")]
    [InlineData(5000, "auto")]
    [InlineData(1, "1")]
    [InlineData(250, "1")]
    [InlineData(1, "7")]
    [InlineData(7, "7")]
    [InlineData(1000, "7")]
    [InlineData(20, "1000")]
    public void Run_LazySequence_GivesResultsInItsOrder(int count, string batchSize)
    {
        using var parallel = NewParallel(batchSize: batchSize == "auto" ? BatchSize.Auto : int.Parse(batchSize));
        Assert.Equal(Enumerable.Range(0, count).Select(Square), Patience.Within(() => parallel.Run(Squares(count))));
    }

    [Fact]
    public void Run_Array_GivesResultsInItsOrder()
    {
        using var parallel = NewParallel();
        Assert.Equal(Enumerable.Range(0, 300).Select(Square), Patience.Within(() => parallel.Run(Squares(300).ToArray())));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(700)]
    public void Run_AsynchronousSequence_GivesResultsInItsOrder(int count)
    {
        using var parallel = NewParallel();
        Assert.Equal(Enumerable.Range(0, count).Select(Square), Patience.Within(() => parallel.Run(Slowly(Squares(count)))));
    }

    [Fact]
    public async Task RunAsync_EitherKindOfSequence_GivesResultsInItsOrder()
    {
        await using var parallel = NewParallel();
        var expected = Enumerable.Range(0, 400).Select(Square).ToArray();
        Assert.Equal(expected, await parallel.RunAsync(Squares(400)).WaitAsync(Patience.Limit));
        Assert.Equal(expected, await parallel.RunAsync(Slowly(Squares(400))).WaitAsync(Patience.Limit));
    }

    [Fact]
    public void Run_LaterCallsEndFirst_GivesSubmissionOrder()
    {
        if (!Traits.RunsCallsAtOnce)
        {
            return; // Here no call can end before an earlier one: Run_LazySequence_GivesResultsInItsOrder says it all.
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1);
        var results = Patience.Within(() => parallel.Run(
        [
            Delayed(() =>
            {
                meeting.Await("second ended", "the second call to end before the first");
                return 1;
            }),
            Delayed(() =>
            {
                meeting.Set("second ended");
                return 2;
            }),
            Delayed(() => 3),
        ]));
        Assert.Equal([1, 2, 3], results);
    }

    [Fact]
    public void Run_TwoJobs_MakesTwoCallsAtOnceAndNeverMore()
    {
        using var meeting = new Rendezvous();
        var atOnce = Traits.RunsCallsAtOnce;
        using var parallel = NewParallel(batchSize: 1);
        var running = Patience.Within(() => parallel.Run(Enumerable.Range(0, 60).Select(i => Delayed(() =>
        {
            var now = meeting.Add("running");
            if (atOnce)
            {
                meeting.Meet("both", NJobs, "two jobs to make two calls at once");
            }

            meeting.Add("running", -1);
            return now;
        }))));
        Assert.Equal(Traits.RunsCallsAtOnce ? NJobs : 1, running.Max());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(41)]
    public void Run_OneCallWaitsForAllOthers_TheyDoNotWaitBehindIt(int? preDispatch)
    {
        if (!Traits.RunsCallsAtOnce)
        {
            return;
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(preDispatch: preDispatch, batchSize: 1);
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 41).Select(i => Delayed(() =>
        {
            if (i != 0)
            {
                return meeting.Add("others") > 0;
            }

            meeting.Until("others", 40, "the other calls");
            return true;
        }))));
        Assert.Equal(41, results.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public void Run_ManyCalls_MakesEachOnce(int batchSize)
    {
        const int Total = 2000;
        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: batchSize);
        Patience.Within(() => parallel.Run(Enumerable.Range(0, Total).Select(i => Delayed(() => meeting.Note("made", i)))));
        Assert.Equal(Enumerable.Range(0, Total), meeting.Noted("made").Select(int.Parse).Order());
    }

    [Fact]
    public void Run_SameCallTwice_MakesItTwice()
    {
        using var meeting = new Rendezvous();
        var call = Delayed(() => meeting.Add("made"));
        using var parallel = NewParallel();
        Assert.Equal([1, 2], Patience.Within(() => parallel.Run([call, call])).Order());
    }

    [Fact]
    public void Run_ReferencesAndNulls_ArriveAsTheyAre()
    {
        using var parallel = NewParallel();
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 50).Select(i => Delayed(() => i % 3 == 0 ? null : $"text {i}"))));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => i % 3 == 0 ? null : $"text {i}"), results);
    }

    [Fact]
    public void Run_AgainOnTheSameInstance_Works()
    {
        using var parallel = NewParallel();
        for (var count = 0; count < 40; count++)
        {
            Assert.Equal(Enumerable.Range(0, count).Select(Square), Patience.Within(() => parallel.Run(Squares(count))));
        }
    }

    [Fact]
    public void Run_NullSequence_ThrowsAndLeavesTheInstanceFree()
    {
        using var parallel = NewParallel();
        Assert.Throws<ArgumentNullException>(() => parallel.Run((IEnumerable<Delayed<int>>)null!));
        Assert.Throws<ArgumentNullException>(() => parallel.Run((IAsyncEnumerable<Delayed<int>>)null!));
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }
}
