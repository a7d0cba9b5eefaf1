namespace Orleans.Joblib.Tests;

public sealed class LokyConformanceTests : ParallelConformance
{
    protected override BackendTraits Traits { get; } = new("loky") { SupportsTimeout = true, CallsTravel = true, StopsOverdueCalls = true, SupportsSharedMemory = false };
}
