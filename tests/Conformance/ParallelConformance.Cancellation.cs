using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Fact]
    public async Task Run_TokenCancelledBefore_ThrowsWithoutTouchingTheSequence()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var sequence = new CountedSequence<int>(Squares(5));
        await using var parallel = NewParallel();
        AssertCancelled(Patience.ThrownBy(() => parallel.Run((IEnumerable<Delayed<int>>)sequence, cancelled.Token)), cancelled.Token);
        var run = parallel.RunAsync((IEnumerable<Delayed<int>>)sequence, cancelled.Token);
        AssertCancelled(await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Patience.Limit)), cancelled.Token);
        Assert.True(run.IsCanceled);
        Assert.Equal(0, sequence.Taken);
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_CancelledDuring_TellsItsCallsAndThrows(bool asynchronous)
    {
        using var meeting = new Rendezvous();
        using var cancelling = new CancellationTokenSource();
        var sequence = new CountedSequence<int>(Enumerable.Range(0, 10_000).Select(i => Delayed(token =>
        {
            meeting.Set("started");
            Patience.AwaitCancelled(token);
            token.ThrowIfCancellationRequested();
            return i;
        })));
        await using var parallel = NewParallel(batchSize: 1);
        var running = Task.Run(() => asynchronous
            ? parallel.RunAsync((IEnumerable<Delayed<int>>)sequence, cancelling.Token)
            : Task.FromResult(parallel.Run((IEnumerable<Delayed<int>>)sequence, cancelling.Token)));
        meeting.Await("started", "a call to start");
        await cancelling.CancelAsync();
        AssertCancelled(await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience.Limit)), cancelling.Token);
        Patience.Until(() => sequence.Closed > 0, "the sequence to be closed");
        Assert.Equal(1, sequence.Closed);
        Assert.InRange(sequence.Taken, 1, 8);
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Fact]
    public void Run_CancelledWhileACallIgnoresIt_DoesNotWaitForThatCall()
    {
        if (!Traits.RunsCallsAtOnce)
        {
            return; // The caller's own thread is in the call.
        }

        using var meeting = new Rendezvous();
        using var cancelling = new CancellationTokenSource();
        using var parallel = NewParallel(batchSize: 1);
        try
        {
            var running = Task.Run(() => Patience.ThrownBy(() => parallel.Run(
                [
                    Delayed(() =>
                    {
                        meeting.Set("started");
                        meeting.Await("release", "the test to end");
                        return 1;
                    }),
                ],
                cancelling.Token)));
            meeting.Await("started", "the call to start");
            cancelling.Cancel();
            AssertCancelled(Patience.Await(running, "the run to end without its call"), cancelling.Token);
        }
        finally
        {
            meeting.Set("release");
        }
    }

    [Fact]
    public void Run_CancelledAfterItsEnd_KeepsItsResultsAndTheInstance()
    {
        using var cancelling = new CancellationTokenSource();
        using var parallel = NewParallel();
        var results = Patience.Within(() => parallel.Run(Squares(50), cancelling.Token));
        cancelling.Cancel();
        Assert.Equal(Enumerable.Range(0, 50).Select(Square), results);
        Assert.Equal(results, Patience.Within(() => parallel.Run(Squares(50))));
    }

    [Theory]
    [InlineData(ReturnAs.Generator)]
    [InlineData(ReturnAs.GeneratorUnordered)]
    public async Task Stream_Cancelled_ThrowsAndFreesTheInstance(ReturnAs order)
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        await using var parallel = NewParallel(batchSize: 1);
        using (var cancelling = new CancellationTokenSource())
        {
            var read = 0;
            AssertCancelled(Patience.ThrownBy(() =>
            {
                foreach (var result in parallel.Stream(Squares(int.MaxValue), order, cancellationToken: cancelling.Token))
                {
                    if (++read == 5)
                    {
                        cancelling.Cancel();
                    }
                }
            }), cancelling.Token);
        }

        using (var cancelling = new CancellationTokenSource())
        {
            var read = 0;
            AssertCancelled(await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (var result in parallel.StreamAsync(Squares(int.MaxValue), order, cancellationToken: cancelling.Token))
                {
                    if (++read == 5)
                    {
                        await cancelling.CancelAsync();
                    }
                }
            }), cancelling.Token);
        }

        Assert.Equal(new[] { 0, 1, 4 }, await parallel.RunAsync(Squares(3)).WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task StreamAsync_ConsumersTokenCancelled_ThrowsAndTellsTheCalls()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        using var cancelling = new CancellationTokenSource();
        await using var parallel = NewParallel(batchSize: 1);
        var read = 0;
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var result in parallel.StreamAsync(Squares(int.MaxValue)).WithCancellation(cancelling.Token))
            {
                Assert.True(read < 1000, "The consumer's token is ignored.");
                if (++read == 5)
                {
                    await cancelling.CancelAsync();
                }
            }
        });
        AssertCancelled(thrown, cancelling.Token);
        Assert.Equal(new[] { 0, 1, 4 }, await parallel.RunAsync(Squares(3)).WaitAsync(Patience.Limit));
    }

    [Fact]
    public void Run_AsOutcomeCancelled_EndsTheRunInsteadOfKeepingTheCancellation()
    {
        using var meeting = new Rendezvous();
        using var cancelling = new CancellationTokenSource();
        using var parallel = NewParallel(batchSize: 1);
        var running = Task.Run(() => Patience.ThrownBy(() => parallel.Run(
            Enumerable.Range(0, 1000).Select(i => Delayed(token =>
            {
                if (i == 0)
                {
                    meeting.Set("first");
                    Patience.AwaitCancelled(token);
                }

                token.ThrowIfCancellationRequested();
                return i;
            }).AsOutcome()),
            cancelling.Token)));
        meeting.Await("first", "the first call to start");
        cancelling.Cancel();
        AssertCancelled(Patience.Await(running, "the run to end"), cancelling.Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_CallBlocksItsTokensCallback_FailureOrCancellationArrivesMeanwhile(bool cancelled)
    {
        if (!Traits.RunsCallsAtOnce)
        {
            return; // The caller's own thread is in the call.
        }

        using var meeting = new Rendezvous();
        using var cancelling = new CancellationTokenSource();
        using var parallel = NewParallel(batchSize: 1);
        try
        {
            var running = Task.Run(() => Patience.ThrownBy(() => parallel.Run(
                [
                    Delayed(token =>
                    {
                        token.Register(() => meeting.Await("release", "the test to let a callback go"));
                        meeting.Set("registered");
                        return StuckAt(0, 0, meeting);
                    }),
                    Delayed(() =>
                    {
                        meeting.Await("registered", "the other call");
                        return cancelled ? 1 : throw new UserException(1, []);
                    }),
                ],
                cancelling.Token)));
            meeting.Await("registered", "the call to start");
            if (cancelled)
            {
                cancelling.Cancel();
                AssertCancelled(Patience.Await(running, "the run to end"), cancelling.Token);
            }
            else
            {
                Assert.IsType<UserException>(Patience.Await(running, "the run to end"));
            }
        }
        finally
        {
            meeting.Set("release");
        }
    }

    [Fact]
    public void Run_FailsWhileItsSequenceClosesSlowly_ThrowsMeanwhile()
    {
        if (!Traits.RunsCallsAtOnce)
        {
            return; // The caller's own thread closes the sequence.
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(preDispatch: 4, batchSize: 1);
        try
        {
            var running = parallel.RunAsync(ClosedSlowly());
            meeting.Set("dispatched");
            Assert.IsType<UserException>(Patience.ThrownBy(() => Patience.Await(running, "the run to end")));
        }
        finally
        {
            meeting.Set("release");
        }

        IEnumerable<Delayed<int>> ClosedSlowly()
        {
            try
            {
                for (var i = 0; i < 4; i++)
                {
                    yield return Delayed(int () =>
                    {
                        // The turn has been given back by then: whoever ends the run closes the sequence.
                        meeting.Await("dispatched", "the others to be dispatched");
                        throw new UserException(1, []);
                    });
                }
            }
            finally
            {
                meeting.Await("release", "the test to end");
            }
        }
    }

    private static void AssertCancelled(Exception? thrown, CancellationToken by) =>
        Assert.Equal(by, Assert.IsAssignableFrom<OperationCanceledException>(thrown).CancellationToken);
}
