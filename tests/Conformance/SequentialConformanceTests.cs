namespace Orleans.Joblib.Tests;

public sealed class SequentialConformanceTests : ParallelConformance
{
    protected override BackendTraits Traits { get; } = new("sequential") { RunsCallsAtOnce = false, RunsCallsHere = true, ParallelLevelsBelow = 2 };
}
