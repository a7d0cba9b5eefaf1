namespace Orleans.Joblib.Tests;

public sealed class MultiprocessingConformanceTests : ParallelConformance
{
    protected override BackendTraits Traits { get; } = new("multiprocessing") { SupportsTimeout = true, RunsCallsInThisProcess = false, RefusesWhatCannotTravel = true, StopsOverdueCalls = true, SupportsStreams = false, SupportsSharedMemory = false };
}
