using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Grains;

/// <summary>What stays in this process is not verified unless asked for; that it is refused when it is: the conformance suite.</summary>
public sealed class VerifyTravelTests
{
    [Fact]
    public async Task Run_CallThatCannotTravel_IsRefusedOnlyWhenAsked()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        var backend = new OrleansBackend(cluster.Client);
        using var stream = new MemoryStream([1, 2, 3]);
        Assert.Equal([3, 3], Parallel(backend: backend).Run(Enumerable.Range(0, 2).Select(i => Delayed(() => stream.Length))));
        Assert.Throws<CannotTravelException>(() =>
            Parallel(backend: backend, backendOptions: new OrleansBackendOptions { VerifyTravel = true }).Run(Enumerable.Range(0, 2).Select(i => Delayed(() => stream.Length))));
    }

    [Fact]
    public async Task Run_VerifiedCalls_StillShareTheirObjects()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        var made = new int[100];
        using var parallel = Parallel(backend: new OrleansBackend(cluster.Client, new OrleansBackendOptions { VerifyTravel = true }));
        parallel.Run(Enumerable.Range(0, made.Length).Select(i => Delayed(() => Interlocked.Increment(ref made[i]))));
        Assert.All(made, times => Assert.Equal(1, times));
    }
}
