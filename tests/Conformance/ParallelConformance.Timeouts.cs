using Microsoft.Extensions.Logging;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    private static readonly TimeSpan ShortTimeout = TimeSpan.FromMilliseconds(150);

    [Fact]
    public void Run_TimeoutOnABackendWithoutIt_WarnsAndRunsWithout()
    {
        // A value that no other test uses, to be found in the log.
        var timeout = TimeSpan.FromTicks(TimeSpan.TicksPerHour + Math.Abs(GetType().Name.GetHashCode(StringComparison.Ordinal)));
        using var parallel = NewParallel(timeout: timeout);
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
        Assert.Equal(Traits.SupportsTimeout ? 0 : 1, CapturedLog.Instance.Count(LogLevel.Warning, $"timeout: {timeout}"));
    }

    [Fact]
    public void Run_CallOverrunsItsTimeout_ThrowsNamingTheCall()
    {
        if (!Traits.SupportsTimeout)
        {
            return; // Run_TimeoutOnABackendWithoutIt_WarnsAndRunsWithout
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1, timeout: ShortTimeout);
        try
        {
            var thrown = Assert.IsType<TimeoutException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 8).Select(i => Delayed(StuckAt, i, 5, meeting)))));
            Assert.Equal(5, thrown.GetCallFailure()?.CallIndex);
            Assert.Contains($"{nameof(StuckAt)}(5, 5, ", thrown.GetCallFailure()?.Call, StringComparison.Ordinal);

            // The call is stuck still; its worker has been replaced.
            Assert.Equal(Enumerable.Range(0, 8).Select(Square), Patience.Within(() => parallel.Run(Squares(8))));
        }
        finally
        {
            meeting.Set("release");
        }
    }

    [Fact]
    public void Run_CallOverrunsItsTimeout_IsToldByItsToken()
    {
        if (!Traits.SupportsTimeout)
        {
            return;
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1, timeout: ShortTimeout);
        var outcomes = Patience.Within(() => parallel.Run(
        [
            Delayed(token =>
            {
                Patience.AwaitCancelled(token);
                meeting.Set("told");
                return 1;
            }).AsOutcome(),
            Delayed(() => 2).AsOutcome(),
        ]));
        if (!Traits.StopsOverdueCalls)
        {
            meeting.Await("told", "the overdue call to be told");
        }

        Assert.IsType<TimeoutException>(outcomes[0].Exception);
        Assert.Equal(2, outcomes[1].Value);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(12)]
    public void Run_AsOutcomeOverrunsItsTimeout_KeepsItBesideTheOthersResults(int batchSize)
    {
        if (!Traits.SupportsTimeout)
        {
            return;
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(preDispatch: "all", batchSize: batchSize, timeout: ShortTimeout);
        try
        {
            var outcomes = Patience.Within(() => parallel.Run(Enumerable.Range(0, 12).Select(i => Delayed(StuckAt, i, i % 5 == 1 ? i : -1, meeting).AsOutcome())));
            Assert.Equal(12, outcomes.Length);
            for (var i = 0; i < outcomes.Length; i++)
            {
                Assert.Equal(i % 5 != 1, outcomes[i].IsSuccess);
                if (outcomes[i].IsSuccess)
                {
                    Assert.Equal(i, outcomes[i].Value);
                }
                else
                {
                    Assert.IsType<TimeoutException>(outcomes[i].Exception);
                    Assert.Equal(i, outcomes[i].Failure?.CallIndex);
                }
            }
        }
        finally
        {
            meeting.Set("release");
        }
    }

    [Fact]
    public void Run_CallsWaitLongerThanTheTimeoutForAWorker_AreNotOverdue()
    {
        if (!Traits.SupportsTimeout)
        {
            return;
        }

        // Both workers are stuck until they are given up, a whole timeout after the dispatch of all. What waits behind them starts its own clock then.
        using var meeting = new Rendezvous();
        using var parallel = NewParallel(preDispatch: "all", batchSize: 1, timeout: ShortTimeout);
        try
        {
            var outcomes = Patience.Within(() => parallel.Run(Enumerable.Range(0, 6).Select(i => Delayed(StuckAt, i, i < NJobs ? i : -1, meeting).AsOutcome())));
            Assert.Equal(Enumerable.Range(0, 6).Select(i => i >= NJobs), outcomes.Select(outcome => outcome.IsSuccess));
        }
        finally
        {
            meeting.Set("release");
        }
    }

    [Fact]
    public void Run_OverdueCallThrowsFromItsTokensCallback_OnlyTheCallIsLost()
    {
        if (!Traits.SupportsTimeout)
        {
            return;
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1, timeout: ShortTimeout);
        try
        {
            var outcomes = Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(token =>
            {
                using var registration = token.Register(() => throw new UserException(i, ["told"]));
                return StuckAt(i, 2, meeting);
            }).AsOutcome())));
            Assert.Equal([true, true, false, true], outcomes.Select(outcome => outcome.IsSuccess));
            Assert.IsType<TimeoutException>(outcomes[2].Exception);
        }
        finally
        {
            meeting.Set("release");
        }
    }

    [Fact]
    public void Run_OverdueCallBlocksItsTokensCallback_ThrowsMeanwhile()
    {
        if (!Traits.SupportsTimeout)
        {
            return;
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1, timeout: ShortTimeout);
        try
        {
            Assert.IsType<TimeoutException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(token =>
            {
                token.Register(() => meeting.Await("release", "the test to let a callback go"));
                return StuckAt(i, 2, meeting);
            })))));
        }
        finally
        {
            meeting.Set("release");
        }
    }

    private static int StuckAt(int number, int stuck, Rendezvous meeting)
    {
        if (number == stuck)
        {
            meeting.Await("release", "the test to let a stuck call go");
        }

        return number;
    }
}
