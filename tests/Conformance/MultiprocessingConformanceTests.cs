namespace Orleans.Joblib.Tests;

/// <summary>The backend <c>"multiprocessing"</c>: worker processes that live as long as the loop's backend.</summary>
public sealed class MultiprocessingConformanceTests : ParallelConformance
{
    protected override BackendTraits Traits { get; } =
        new("multiprocessing") { SupportsTimeout = true, RunsCallsInThisProcess = false, RefusesWhatCannotTravel = true, StopsOverdueCalls = true, SupportsStreams = false, SupportsSharedMemory = false };
}
