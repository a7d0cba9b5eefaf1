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

        using var secondEnded = new Gate();
        using var parallel = NewParallel(batchSize: 1);
        var results = Patience.Within(() => parallel.Run(
        [
            Delayed(() =>
            {
                Patience.Await(secondEnded, "the second call to end before the first");
                return 1;
            }),
            Delayed(() =>
            {
                secondEnded.Set();
                return 2;
            }),
            Delayed(() => 3),
        ]));
        Assert.Equal([1, 2, 3], results);
    }

    [Fact]
    public void Run_TwoJobs_MakesTwoCallsAtOnceAndNeverMore()
    {
        const int Running = 0;
        const int Most = 1;
        const int Arrived = 2;
        using var calls = new Tally(3);
        var callsAtOnce = Traits.RunsCallsAtOnce;
        using var parallel = NewParallel(batchSize: 1);
        Patience.Within(() => parallel.Run(Enumerable.Range(0, 60).Select(i => Delayed(() =>
        {
            calls.Raise(Most, calls.Increment(Running));
            if (callsAtOnce)
            {
                // In pairs, as a barrier would have it.
                var arrived = calls.Increment(Arrived);
                Patience.Until(() => calls[Arrived] >= arrived + (arrived % NJobs), "two jobs to make two calls at once");
            }

            calls.Decrement(Running);
            return i;
        }))));
        Assert.Equal(Traits.RunsCallsAtOnce ? NJobs : 1, calls[Most]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public void Run_ManyCalls_MakesEachOnce(int batchSize)
    {
        const int Total = 2000;
        using var made = new Tally(Total);
        using var parallel = NewParallel(batchSize: batchSize);
        Patience.Within(() => parallel.Run(Enumerable.Range(0, Total).Select(i => Delayed(() => made.Increment(i)))));
        Assert.All(Enumerable.Range(0, Total), i => Assert.Equal(1, made[i]));
    }

    [Fact]
    public void Run_SameCallTwice_MakesItTwice()
    {
        using var made = new Tally();
        var call = Delayed(() => made.Increment());
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
