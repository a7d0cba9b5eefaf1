using Orleans.Joblib.Tests.Remote;
using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>The backend <c>"orleans"</c> on two silos, each a process of its own.</summary>
public sealed class OrleansRemoteConformanceTests : ParallelConformance, IClassFixture<OrleansRemoteConformanceTests.TwoProcesses>
{
    private const string BackendName = "tests-orleans-remote";

    // Short batches overtake the places of a slot, and a batch that waits at a busy silo does not move to an idle one.
    protected override BackendTraits Traits { get; } =
        new(BackendName) { RunsCallsInThisProcess = false, RefusesWhatCannotTravel = true, SupportsTimeout = true, SupportsSharedMemory = false, CallsBehindARunningOne = 1 };

    public sealed class TwoProcesses() : RemoteClusterFixture(BackendName, silos: 2, slotsPerSilo: 1);
}
