using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Joblib.Silo;
using Orleans.Runtime;
using Orleans.TestingHost;
using Xunit;

namespace Orleans.Joblib.Tests.Grains;

/// <summary>A test cluster of two silos with two workers each, and a client outside of both.</summary>
public sealed class TwoSilos : IAsyncLifetime
{
    public const int SlotsPerSilo = 2;

    public TestCluster Cluster { get; } = new TestClusterBuilder(2).AddSiloBuilderConfigurator<Workers>().Build();

    public IGrainFactory Grains => Cluster.GrainFactory;

    public IClusterClient Client => Cluster.Client;

    /// <summary>The first silo's services.</summary>
    public IServiceProvider Services => ((InProcessSiloHandle)Cluster.Primary!).ServiceProvider;

    public IEnumerable<SiloAddress> Silos => Cluster.Silos.Select(silo => silo.SiloAddress);

    public async ValueTask InitializeAsync()
    {
        await Cluster.DeployAsync();

        // A silo that joins is known to itself first: a run that opens before the other one has heard of it gets the slots of one.
        await EventuallyAsync(() => Task.FromResult(Cluster.Silos.Cast<InProcessSiloHandle>().All(KnowsBoth)));
    }

    public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();

    public ISiloSlotsGrain SlotsOf(SiloAddress silo) => Grains.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo));

    public async Task<int> ActivationsOfAsync(string grainClass) =>
        (await Grains.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics()).Where(s => s.GrainType.Contains(grainClass)).Sum(s => s.ActivationCount);

    /// <summary>Asks again until it is so; what it waits for happens by itself, off the caller's path.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> condition, Func<Task<string>>? otherwise = null)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            try
            {
                await again.WaitForNextTickAsync(guard.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail(otherwise is null ? "It never came to be." : await otherwise());
            }
        }
    }

    /// <summary>Waits until no run holds anything: no grain, no grant, no busy worker, no queued batch.</summary>
    public Task NothingIsLeftAsync() => EventuallyAsync(
        async () => await ActivationsOfAsync("BatchGrain") == 0 && await ActivationsOfAsync("CoordinatorGrain") == 0 && (await SlotsAsync()).All(IsIdle),
        async () => $"{await ActivationsOfAsync("BatchGrain")} batch grains, {await ActivationsOfAsync("CoordinatorGrain")} coordinators, {string.Join(", ", await SlotsAsync())}");

    public async Task<SiloSlots[]> SlotsAsync() => await Task.WhenAll(Silos.Select(silo => SlotsOf(silo).GetStatusAsync()));

    private bool KnowsBoth(InProcessSiloHandle silo)
    {
        var members = silo.ServiceProvider.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.Members;
        return Silos.All(address => members.TryGetValue(address, out var member) && member.Status == SiloStatus.Active);
    }

    private static bool IsIdle(SiloSlots slots) => slots is { Runs: 0, Granted: 0, Busy: 0, Queued: 0 };

    private sealed class Workers : ISiloConfigurator
    {
        public void Configure(ISiloBuilder siloBuilder) => siloBuilder.AddJoblibWorkers(options => options.Slots = SlotsPerSilo);
    }
}
