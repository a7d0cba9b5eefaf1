namespace Orleans.Joblib.Tests;

public sealed class LokyConformanceTests : ParallelConformance
{
    protected override BackendTraits Traits { get; } = new("loky") { SupportsTimeout = true, RunsCallsInThisProcess = false, RefusesWhatCannotTravel = true, StopsOverdueCalls = true, SupportsSharedMemory = false };
}
