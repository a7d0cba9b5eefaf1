using Orleans.Joblib.Tests.Remote;
using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>The backend <c>"orleans"</c> on two silo processes whose workers are processes too.</summary>
public sealed class OrleansProcessWorkersConformanceTests : ParallelConformance, IClassFixture<OrleansProcessWorkersConformanceTests.TwoProcesses>
{
    private const string BackendName = "tests-orleans-process-workers";

    protected override BackendTraits Traits { get; } = new(BackendName)
    {
        RunsCallsInThisProcess = false,
        RefusesWhatCannotTravel = true,
        SupportsTimeout = true,
        StopsOverdueCalls = true,
        SupportsSharedMemory = false,
    };

    public sealed class TwoProcesses() : RemoteClusterFixture(BackendName, silos: 2, slotsPerSilo: 2, "--workers", "processes");
}
