namespace Orleans.Joblib.Tests;

/// <summary>The backend <c>"loky"</c>: worker processes that outlive a run.</summary>
public sealed class LokyConformanceTests : ParallelConformance
{
    protected override BackendTraits Traits { get; } =
        new("loky") { SupportsTimeout = true, RunsCallsInThisProcess = false, RefusesWhatCannotTravel = true, StopsOverdueCalls = true, SupportsSharedMemory = false };
}
