using Orleans.Hosting;
using Orleans.Runtime;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Grains;

public sealed class MonitorGrainTests
{
    [Fact]
    public async Task Look_RunThatEnded_IsToldToWhoHasNotSeenIt()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        Assert.Throws<InvalidOperationException>(() => Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client)).Run([Delayed(Fail, 1)]));
        var silo = (await cluster.Client.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true)).Keys.Single();
        var monitor = cluster.Client.GetGrain<IMonitorGrain>(SlotKey.ForMonitor(silo));
        using var patience = new CancellationTokenSource(Patience.Limit);
        SiloView first;
        do
        {
            patience.Token.ThrowIfCancellationRequested();
            first = await monitor.LookAsync(0);
        }
        while (first.Runs is not [{ State: RunState.Failed }]);

        Assert.Contains(nameof(Fail), first.Runs[0].Progress!.Failure!.Call, StringComparison.Ordinal);
        Assert.Empty((await monitor.LookAsync(first.Now)).Runs);
        Assert.Equal(first.Runs[0].Run, Assert.Single((await monitor.LookAsync(0)).Runs).Run);

        // Who looks through the monitor sees it at every look.
        var looks = new ClusterMonitor(cluster.Client);
        Assert.Equal((await looks.LookAsync(patience.Token)).Runs, (await looks.LookAsync(patience.Token)).Runs);
    }

    private static int Fail(int value) => throw new InvalidOperationException(value.ToString());
}
