using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class OrleansTwoSilosConformanceTests : ParallelConformance, IClassFixture<OrleansTwoSilosConformanceTests.TwoSilos>
{
    private const string BackendName = "tests-orleans-two-silos";

    // A slot holds two batches, and a batch that waits at a busy silo does not move to an idle one.
    protected override BackendTraits Traits { get; } = new(BackendName) { RefusesWhatCannotTravel = true, SupportsTimeout = true, SupportsSharedMemory = false, CallsBehindARunningOne = 1 };

    public sealed class TwoSilos() : ClusterFixture(BackendName, silos: 2, slotsPerSilo: 1);
}
