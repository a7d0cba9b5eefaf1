using Microsoft.Extensions.DependencyInjection;
using Orleans.Joblib.Silo;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Hosting;

public sealed class DrainTests
{
    [Fact]
    public async Task Drain_BatchesRunningAndQueued_RunningEndHereAndQueuedElsewhere()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 2, slotsPerSilo: 1);
        var workers = cluster.Services.Select(services => services.GetRequiredService<SiloWorkers>()).ToArray();
        using var running = new CountdownEvent(2);
        using var release = new ManualResetEventSlim();
        var results = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client), batchSize: 1, preDispatch: "all").Run(
            Enumerable.Range(0, 4).Select(i => Delayed(() =>
            {
                if (!running.IsSet)
                {
                    running.Signal();
                }

                Patience.Await(release, "the test to let calls end");
                return i;
            }))));
        Patience.Until(() => running.IsSet && workers.All(w => w.Status is { Busy: 1, Queued: 1 }), "each silo to execute one batch and queue one");

        var drained = workers[0].DrainAsync(Patience.Limit);
        Patience.Until(() => workers[1].Status.Queued == 2, "the queued batch of the draining silo to be with the other");
        Assert.True(workers[0].Status is { Draining: true, Size: 0, Busy: 1, Queued: 0 });
        Assert.False(drained.IsCompleted);

        release.Set();
        Assert.True(await drained);
        var values = await results.WaitAsync(Patience.Limit);
        Assert.Equal([0, 1, 2, 3], values);
    }

    [Fact]
    public async Task Drain_BatchOutlastsTheTimeout_GivesUpWaiting()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        var workers = cluster.Services[0].GetRequiredService<SiloWorkers>();
        using var running = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var run = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client)).Run([Delayed(() =>
        {
            running.Set();
            Patience.Await(release, "the test to let the call end");
            return 1;
        })]));
        Patience.Await(running, "the call to start");
        Assert.False(await workers.DrainAsync(TimeSpan.FromMilliseconds(100)));
        release.Set();
        var values = await run.WaitAsync(Patience.Limit);
        Assert.Equal([1], values);
    }
}
