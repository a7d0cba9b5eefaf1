using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    public void Run_PreDispatch_TakesTheNextCallOnlyAfterTheFirstEnded(int preDispatch)
    {
        const int Total = 30;
        var endedWhenNextTaken = -1;
        var atOnce = Traits.RunsCallsAtOnce;
        using var meeting = new Rendezvous();
        IEnumerable<Delayed<int>> Calls()
        {
            for (var i = 0; i < Total; i++)
            {
                if (i == preDispatch)
                {
                    endedWhenNextTaken = meeting.Count("ended");
                }

                if (i == preDispatch - 1)
                {
                    meeting.Set("all taken");
                }

                yield return Delayed(() =>
                {
                    if (atOnce)
                    {
                        // The pre-dispatched calls are all taken before any has ended.
                        meeting.Await("all taken", "pre-dispatch to take its calls");
                    }

                    return meeting.Add("ended");
                });
            }
        }

        using var parallel = NewParallel(preDispatch: preDispatch, batchSize: 1);
        Assert.Equal(Total, Patience.Within(() => parallel.Run(Calls())).Length);
        Assert.InRange(endedWhenNextTaken, 1, preDispatch);
    }

    [Fact]
    public void Run_PreDispatchAll_TakesEverythingBeforeAnyCallEnds()
    {
        if (!Traits.RunsCallsAtOnce)
        {
            return; // Whoever takes the calls makes them too.
        }

        const int Total = 100;
        using var meeting = new Rendezvous();
        IEnumerable<Delayed<int>> Calls()
        {
            for (var i = 0; i < Total; i++)
            {
                yield return Delayed(() =>
                {
                    meeting.Await("all taken", "the whole sequence to be taken");
                    return 1;
                });
            }

            meeting.Set("all taken");
        }

        using var parallel = NewParallel(preDispatch: "all", batchSize: 3);
        Assert.Equal(Total, Patience.Within(() => parallel.Run(Calls())).Length);
    }

    [Fact]
    public void Run_PreDispatchGivesNoCall_ThrowsBeforeAnyWork()
    {
        // joblib would return an empty list and lose every call.
        if (Traits.RunsCallsHere)
        {
            return; // One job takes one call at a time, whatever preDispatch says.
        }

        var sequence = new CountedSequence<int>(Squares(3));
        using var parallel = NewParallel(preDispatch: "n_jobs - 2");
        Assert.IsType<ArgumentException>(Patience.ThrownBy(() => parallel.Run((IEnumerable<Delayed<int>>)sequence)));
        Assert.Equal((sequence.Opened, 0), (sequence.Closed, sequence.Taken));
        using var other = NewParallel();
        Assert.Equal([0, 1, 4], Patience.Within(() => other.Run(Squares(3))));
    }

    [Fact]
    public void Run_CallsOfABatch_RunInOrderOnOneThread()
    {
        using var parallel = NewParallel(preDispatch: "all", batchSize: 5);
        var made = 0;
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 40).Select(i => Delayed(() => (Environment.CurrentManagedThreadId, Interlocked.Increment(ref made))))));
        for (var batch = 0; batch < results.Length; batch += 5)
        {
            var calls = results.Skip(batch).Take(5).ToArray();
            Assert.Single(calls.Select(call => call.CurrentManagedThreadId).Distinct());
            Assert.Equal(calls.Order(), calls);
        }
    }

    [Fact]
    public void Run_SequentialBackend_TakesABatchAheadOnTheCallersThread()
    {
        if (!Traits.RunsCallsHere)
        {
            return; // The others: Run_PreDispatch_TakesTheNextCallOnlyAfterTheFirstEnded
        }

        var events = new List<string>();
        IEnumerable<Delayed<int>> Calls()
        {
            for (var i = 0; i < 7; i++)
            {
                events.Add($"take {i}");
                var number = i;
                yield return Delayed(() =>
                {
                    events.Add($"make {number}");
                    return Environment.CurrentManagedThreadId;
                });
            }
        }

        using var parallel = NewParallel(batchSize: 4);
        Assert.All(parallel.Run(Calls()), thread => Assert.Equal(Environment.CurrentManagedThreadId, thread));
        Assert.Equal(
            "take 0,take 1,take 2,take 3,make 0,make 1,make 2,make 3,take 4,take 5,take 6,make 4,make 5,make 6",
            string.Join(",", events));
    }
}
