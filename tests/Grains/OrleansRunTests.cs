using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Grains;

public sealed class OrleansRunTests(TwoSilos silos) : IClassFixture<TwoSilos>
{
    [Fact]
    public void Run_AsManyCallsAsSlots_RunsThemAtOnceOnBothSilos()
    {
        // Each call waits for all four: fewer slots, or slots of one silo only, would never meet.
        using var meeting = new Barrier(4);
        var together = Parallel(backend: new OrleansBackend(silos.Client)).Run(
            from i in Enumerable.Range(0, 4) select Delayed(ct => meeting.SignalAndWait(TimeSpan.FromSeconds(30), ct)));
        Assert.All(together, Assert.True);
    }

    [Fact]
    public async Task Run_Ended_LeavesNoGrainNoGrantAndNoBatch()
    {
        await using (var parallel = Parallel(backend: new OrleansBackend(silos.Client)))
        {
            Assert.Equal(1000, parallel.Run(from i in Enumerable.Range(0, 1000) select Delayed(() => i)).Length);
        }

        await silos.NothingIsLeftAsync();
    }

    [Fact]
    public async Task Run_Failed_LeavesNoGrainNoGrantAndNoBatch()
    {
        await using (var parallel = Parallel(backend: new OrleansBackend(silos.Client)))
        {
            await Assert.ThrowsAsync<InvalidTimeZoneException>(() => parallel.RunAsync(
                from i in Enumerable.Range(0, 1000) select Delayed(() => i == 500 ? throw new InvalidTimeZoneException() : i)));
        }

        await silos.NothingIsLeftAsync();
    }

    [Fact]
    public async Task Run_CancelledWhileCallsWait_FreesTheWorkers()
    {
        using var cancelling = new CancellationTokenSource();
        using var started = new SemaphoreSlim(0);
        await using var parallel = Parallel(backend: new OrleansBackend(silos.Client));
        var run = parallel.RunAsync(
            from i in Enumerable.Range(0, 100)
            select Delayed(ct =>
            {
                started.Release();
                ct.WaitHandle.WaitOne();
            }),
            cancelling.Token);
        Assert.True(await started.WaitAsync(TimeSpan.FromSeconds(30)));
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(TimeSpan.FromSeconds(30)));
        await TwoSilos.EventuallyAsync(async () => (await silos.SlotsAsync()).All(slots => slots is { Busy: 0, Queued: 0 }));
    }

    [Fact]
    public void Run_LoopOnTheClusterInsideEveryCall_DoesNotDeadlock()
    {
        var sums = Parallel(backend: new OrleansBackend(silos.Client)).Run(
            from i in Enumerable.Range(0, 16)
            select Delayed(() => Parallel(backend: new OrleansBackend(silos.Client), nJobs: -1).Run(from j in Enumerable.Range(0, 10) select Delayed(() => i * j)).Sum()));
        Assert.Equal(Enumerable.Range(0, 16).Select(i => 45 * i), sums);
    }

    [Fact]
    public async Task Run_TwoAtOnceOnAllSlots_BothEnd()
    {
        var runs = Enumerable.Range(0, 2).Select(_ => Parallel(backend: new OrleansBackend(silos.Client), batchSize: 1).RunAsync(
            from i in Enumerable.Range(0, 2000) select Delayed(() => i)));
        Assert.All(await Task.WhenAll(runs), results => Assert.Equal(Enumerable.Range(0, 2000), results));
    }

    [Fact]
    public void EffectiveNJobs_NegativeNumbers_CountSlotsBack()
    {
        var backend = new OrleansBackend(silos.Client);
        Assert.Equal((4, 3, 1, 2, 4), (backend.EffectiveNJobs(-1), backend.EffectiveNJobs(-2), backend.EffectiveNJobs(-100), backend.EffectiveNJobs(2), backend.EffectiveNJobs(100)));
    }

    [Fact]
    public async Task Run_SilosWithoutWorkers_ThrowsNoActiveWorker()
    {
        await using var cluster = new Orleans.TestingHost.TestClusterBuilder(1).Build();
        await cluster.DeployAsync();
        var error = Assert.Throws<JoblibException>(() => Parallel(backend: new OrleansBackend(cluster.Client)).Run([Delayed(() => 1)]));
        Assert.Contains("no active worker", error.Message);
    }
}
