using System.Runtime.CompilerServices;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Theory]
    [InlineData(ReturnAs.Generator)]
    [InlineData(ReturnAs.GeneratorUnordered)]
    public void Stream_LeftEarly_EndsTheRunAndFreesTheInstance(ReturnAs order)
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        using var parallel = NewParallel(batchSize: 1);
        for (var time = 0; time < 20; time++)
        {
            var sequence = new CountedSequence<int>(Squares(int.MaxValue));
            Assert.Equal(3, Patience.Within(() => parallel.Stream((IEnumerable<Delayed<int>>)sequence, order).Take(3).Count()));
            Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
            Patience.Until(() => sequence.Closed > 0, "the sequence to be closed");
            Assert.Equal((1, 0), (sequence.Closed, sequence.Overlaps));
        }
    }

    [Fact]
    public async Task StreamAsync_LeftEarly_EndsTheRunAndFreesTheInstance()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        await using var parallel = NewParallel(batchSize: 1);
        for (var time = 0; time < 20; time++)
        {
            var sequence = new CountedSequence<int>(Squares(int.MaxValue));
            await foreach (var result in parallel.StreamAsync((IAsyncEnumerable<Delayed<int>>)sequence))
            {
                if (result == 9)
                {
                    break;
                }
            }

            Assert.Equal(new[] { 0, 1, 4 }, await parallel.RunAsync(Squares(3)).WaitAsync(Patience.Limit));
            Patience.Until(() => sequence.Closed > 0, "the sequence to be closed");
            Assert.Equal((1, 0), (sequence.Closed, sequence.Overlaps));
        }
    }

    [Fact]
    public void Stream_LeftAfterItsLastResult_FreesTheInstanceAtOnce()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        using var parallel = NewParallel(batchSize: 1);
        for (var time = 0; time < 200; time++)
        {
            // Take(3) leaves without asking whether there is a fourth.
            Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Stream(Squares(3)).Take(3).ToArray()));
        }
    }

    [Fact]
    public void Stream_LeftWhileCallsRun_TellsThem()
    {
        if (!Traits.SupportsStreams || !Traits.RunsCallsAtOnce)
        {
            return; // One call at a time: none runs while the stream is being left.
        }

        // A backend that stops calls with their process gives them a moment to hear their token; a machine that is too busy for that may need another try.
        for (var tries = Traits.StopsOverdueCalls ? 10 : 1; !HearsThatTheStreamIsLeft(mayBeStopped: tries > 1); tries--)
        {
            Assert.NotEqual(1, tries);
        }
    }

    private bool HearsThatTheStreamIsLeft(bool mayBeStopped)
    {
        using var meeting = new Rendezvous();

        // One call in flight, so that the one that is read is made before those that wait: a cluster may start them in another order than they were sent in.
        using var parallel = NewParallel(preDispatch: 1, batchSize: 1);
        Patience.Within(() =>
        {
            foreach (var result in parallel.Stream(Enumerable.Range(0, 100).Select(i => Delayed(token =>
            {
                if (i > 0)
                {
                    meeting.Note("waiting", Environment.ProcessId);
                    Patience.AwaitCancelled(token);
                    meeting.Set("told");
                }

                return i;
            }))))
            {
                Patience.Until(() => meeting.Noted("waiting").Length > 0, "a call that waits for its token");
                break;
            }
        });
        var process = int.Parse(meeting.Noted("waiting")[0], System.Globalization.CultureInfo.InvariantCulture);
        Patience.Until(() => meeting.IsSet("told") || (mayBeStopped && !Processes.Living.IsAlive(process)), "the call to hear that the stream was left");
        return meeting.IsSet("told");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Stream_Dropped_IsCollectedAndFreesItsWorkers(bool asynchronous, bool readOne)
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        var atOnce = Traits.RunsCallsAtOnce;
        using var parallel = NewParallel(preDispatch: 1, batchSize: 1);

        // The second call waits until the run ends. One call at a time cannot wait for that: there the endless sequence is what has to end.
        var calls = new CountedSequence<int>(Enumerable.Range(0, int.MaxValue).Select(i => Delayed(token =>
        {
            if (i > 0 && atOnce)
            {
                Patience.AwaitCancelled(token);
            }

            return i;
        })));
        Patience.Within(() => Drop(parallel, calls, asynchronous, readOne));
        Patience.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                try
                {
                    return parallel.Run(Squares(3)) is [0, 1, 4];
                }
                catch (InvalidOperationException)
                {
                    return false; // Running still.
                }
            },
            "the instance of a dropped stream to be free");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Drop(JoblibParallel parallel, CountedSequence<int> calls, bool asynchronous, bool readOne)
    {
        if (asynchronous)
        {
            var stream = parallel.StreamAsync((IEnumerable<Delayed<int>>)calls);
            if (readOne)
            {
                Assert.True(stream.GetAsyncEnumerator().MoveNextAsync().AsTask().GetAwaiter().GetResult());
            }
        }
        else
        {
            var stream = parallel.Stream((IEnumerable<Delayed<int>>)calls);
            if (readOne)
            {
                Assert.True(stream.GetEnumerator().MoveNext());
            }
        }
    }
}
