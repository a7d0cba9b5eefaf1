using Xunit;

namespace Orleans.Joblib.Tests.Dashboard;

public sealed class CallCounterTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);
    private static readonly Guid Old = Guid.NewGuid();
    private static readonly Guid New = Guid.NewGuid();

    private readonly CallCounter _counter = new();

    [Fact]
    public void Rate_RunThatGoesOn_IsOfTheTimeSinceTheLookBefore()
    {
        Assert.Equal(0, At(0, (Old, 1_000_000, -60)));
        Assert.Equal(20, At(0.5, (Old, 1_000_010, -60)));
        Assert.Equal(0, At(1, (Old, 1_000_010, -60)));
    }

    [Fact]
    public void Rate_RunWhoseSiloDidNotAnswer_IsOfTheTimeSinceItWasSeen()
    {
        At(0, (Old, 1_000_000, -60));
        Assert.Equal(0, At(4));
        Assert.Equal(2, At(5, (Old, 1_000_010, -60)));
    }

    [Fact]
    public void Rate_RunsSeenForTheFirstTime_CountIfTheyStartedSinceTheLookBefore()
    {
        At(0);
        Assert.Equal(100, At(1, (Old, 1_000_000, -60), (New, 100, 0.5)));
    }

    [Fact]
    public void Rate_CoordinatorThatMovedKnowsOfFewerCalls_IsNeverNegative()
    {
        At(0, (Old, 1_000_000, -60));
        Assert.Equal(0, At(1, (Old, 10, -60)));
        Assert.Equal(5, At(2, (Old, 15, -60)));
    }

    private double At(double seconds, params (Guid Run, long Calls, double StartedAt)[] runs) => _counter.Rate(new ClusterView(
        Start.AddSeconds(seconds), [], [.. runs.Select(run => new RunInfo(run.Run, "", "", RunState.Running, Start.AddSeconds(run.StartedAt), null, 1, 1, run.Calls, 0, 1, TimeSpan.Zero, null))]));
}
