using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class OrleansTwoSilosConformanceTests : ParallelConformance, IClassFixture<OrleansTwoSilosConformanceTests.TwoSilos>
{
    private const string BackendName = "tests-orleans-two-silos";

    protected override BackendTraits Traits { get; } = new(BackendName) { RefusesWhatCannotTravel = true, SupportsTimeout = true, SupportsSharedMemory = false };

    public sealed class TwoSilos() : ClusterFixture(BackendName, silos: 2, slotsPerSilo: 1);
}
