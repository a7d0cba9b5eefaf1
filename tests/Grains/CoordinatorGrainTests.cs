using Xunit;

namespace Orleans.Joblib.Tests.Grains;

public sealed class CoordinatorGrainTests(TwoSilos silos) : IClassFixture<TwoSilos>
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task StartAsync_AllSlots_GrantsEveryWorkerOfEverySilo()
    {
        var coordinator = NewCoordinator();
        var grant = await coordinator.StartAsync(new RunRequest(RunRequest.AllSlots, Lease, "test"), []);
        Assert.Equal([0, 1, 2, 3], grant.Slots.Select(slot => slot.Number));
        Assert.All(silos.Silos, silo => Assert.Equal(TwoSilos.SlotsPerSilo, grant.Slots.Count(slot => slot.Silo.Equals(silo))));
        await coordinator.EndAsync();
    }

    [Fact]
    public async Task StartAsync_TwoSlots_TakesOneOfEachSilo()
    {
        var coordinator = NewCoordinator();
        var grant = await coordinator.StartAsync(new RunRequest(2, Lease, "test"), []);
        Assert.Equal(2, grant.Slots.Select(slot => slot.Silo).Distinct().Count());
        await coordinator.EndAsync();
    }

    [Fact]
    public async Task StartAsync_MoreThanThereAre_GrantsWhatThereIs()
    {
        var coordinator = NewCoordinator();
        Assert.Equal(4, (await coordinator.StartAsync(new RunRequest(100, Lease, "test"), [])).Slots.Length);
        await coordinator.EndAsync();
    }

    [Fact]
    public async Task StartAsync_AgainAfterALoss_KeepsTheSlots()
    {
        var coordinator = NewCoordinator();
        var request = new RunRequest(3, Lease, "test");
        var first = await coordinator.StartAsync(request, []);
        var second = await coordinator.StartAsync(request, []);
        Assert.Equal(first.Slots.Select(slot => slot.Silo).Order(), second.Slots.Select(slot => slot.Silo).Order());
        Assert.Equal(3, (await coordinator.GetStatusAsync()).SlotsBySilo.Values.Sum());
        await coordinator.EndAsync();
    }

    [Fact]
    public async Task RenewAsync_RunThatIsNotOpen_ReturnsNull() => Assert.Null(await NewCoordinator().RenewAsync(replan: false));

    [Fact]
    public async Task EndAsync_OpenRun_ReleasesItsSlotsOnEverySilo()
    {
        var id = Guid.NewGuid();
        var coordinator = silos.Grains.GetGrain<ICoordinatorGrain>(id);
        await coordinator.StartAsync(new RunRequest(RunRequest.AllSlots, Lease, "test"), []);
        var before = await TotalAsync();
        await coordinator.EndAsync();
        var after = await TotalAsync();
        Assert.Equal((before.Granted - 4, before.Runs - 2), after);
        Assert.Null(await coordinator.RenewAsync(replan: false));
    }

    [Fact]
    public async Task StartAsync_LateAfterTheEnd_OpensNothing()
    {
        var coordinator = NewCoordinator();
        var request = new RunRequest(2, Lease, "test");
        await coordinator.StartAsync(request, []);
        var before = await TotalAsync();
        await coordinator.EndAsync();
        var late = await coordinator.StartAsync(request, []);
        Assert.Empty(late.Slots);
        Assert.True(late.HasEnded);
        Assert.Equal((before.Granted - 2, before.Runs - 2), await TotalAsync());
        Assert.False((await coordinator.GetStatusAsync()).Running);
        Assert.Null(await coordinator.RenewAsync(replan: false));
    }

    [Fact]
    public async Task StartAsync_AfterTheLeaseRanOut_OpensTheRunAgain()
    {
        var coordinator = NewCoordinator();
        var request = new RunRequest(2, TimeSpan.FromSeconds(1), "silent");
        await coordinator.StartAsync(request, []);
        await TwoSilos.EventuallyAsync(async () => !(await coordinator.GetStatusAsync()).Running);
        Assert.Equal(2, (await coordinator.StartAsync(request, [])).Slots.Length);
        await coordinator.EndAsync();
    }

    [Fact]
    public async Task ReportAsync_FastBatches_DoublesTheAdvisedSize()
    {
        var coordinator = NewCoordinator();
        await coordinator.StartAsync(new RunRequest(1, Lease, "test"), []);
        var advised = await coordinator.ReportAsync([new BatchReport(0, 1, false, TimeSpan.FromMilliseconds(1))]);
        Assert.Equal(2, advised);
        Assert.Equal(4, await coordinator.ReportAsync([new BatchReport(1, 2, false, TimeSpan.FromMilliseconds(1))]));

        // A batch of another size than the advised one teaches nothing, nor does a failed one.
        Assert.Equal(4, await coordinator.ReportAsync([new BatchReport(2, 2, false, TimeSpan.FromMilliseconds(1)), new BatchReport(3, 4, true, TimeSpan.FromMilliseconds(1))]));
        await coordinator.EndAsync();
    }

    [Fact]
    public async Task GetStatusAsync_AfterReports_TellsTotalsAndTheOrderOfCompletion()
    {
        var coordinator = NewCoordinator();
        await coordinator.StartAsync(new RunRequest(1, Lease, "somebody"), []);
        await coordinator.ReportAsync([new BatchReport(1, 5, false, TimeSpan.FromSeconds(1)), new BatchReport(0, 7, true, TimeSpan.FromSeconds(1))]);
        var status = await coordinator.GetStatusAsync();
        Assert.True(status.Running);
        Assert.Equal("somebody", status.Client);
        Assert.Equal((2L, 12L, 1L), (status.CompletedBatches, status.CompletedCalls, status.FailedBatches));
        Assert.Equal([1L, 0L], status.RecentCompletions);
        await coordinator.EndAsync();
    }

    [Fact]
    public async Task Lease_ClientFallsSilent_EndsTheRunAndFreesItsSlots()
    {
        var coordinator = NewCoordinator();
        await coordinator.StartAsync(new RunRequest(RunRequest.AllSlots, TimeSpan.FromSeconds(1), "silent"), []);
        await TwoSilos.EventuallyAsync(async () => !(await coordinator.GetStatusAsync()).Running);
        Assert.Null(await coordinator.RenewAsync(replan: false));
    }

    private ICoordinatorGrain NewCoordinator() => silos.Grains.GetGrain<ICoordinatorGrain>(Guid.NewGuid());

    private async Task<(int Granted, int Runs)> TotalAsync()
    {
        var all = await Task.WhenAll(silos.Silos.Select(silo => silos.SlotsOf(silo).GetStatusAsync()));
        return (all.Sum(slots => slots.Granted), all.Sum(slots => slots.Runs));
    }
}
