using Orleans.Joblib.Tests.Remote;
using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>The backend <c>"orleans"</c> on two silos, each a process of its own.</summary>
public sealed class OrleansRemoteConformanceTests : ParallelConformance, IClassFixture<OrleansRemoteConformanceTests.TwoProcesses>
{
    private const string BackendName = "tests-orleans-remote";

    protected override BackendTraits Traits { get; } =
        new(BackendName) { RunsCallsInThisProcess = false, RefusesWhatCannotTravel = true, SupportsTimeout = true, SupportsSharedMemory = false };

    public sealed class TwoProcesses() : RemoteClusterFixture(BackendName, silos: 2, slotsPerSilo: 2);
}
