using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class OrleansOneSiloConformanceTests : ParallelConformance, IClassFixture<OrleansOneSiloConformanceTests.OneSilo>
{
    private const string BackendName = "tests-orleans-one-silo";

    protected override BackendTraits Traits { get; } = new(BackendName) { RefusesWhatCannotTravel = true, SupportsTimeout = true, SupportsSharedMemory = false };

    public sealed class OneSilo() : ClusterFixture(BackendName, silos: 1, slotsPerSilo: NJobs + 1);
}
