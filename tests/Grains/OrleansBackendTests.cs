using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Joblib.Silo;
using Xunit;

namespace Orleans.Joblib.Tests.Grains;

public sealed class OrleansBackendTests
{
    [Fact]
    public async Task Abort_BackendIsTerminatedMeanwhile_LeavesNoRun()
    {
        var starts = new HeldCalls(nameof(ICoordinatorGrain.StartAsync));
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2, configureSilo: silo => silo.AddIncomingGrainCallFilter(starts));
        var workers = cluster.Services[0].GetRequiredService<SiloWorkers>();
        var backend = new OrleansBackend(cluster.Client);
        Assert.Equal(2, await backend.ConfigureAsync(new BackendSettings { NJobs = -1 }, TestContext.Current.CancellationToken));

        // A failed loop has the backend made ready again, and does not wait for ever.
        starts.Hold();
        var abort = backend.AbortEverythingAsync(ensureReady: true).AsTask();
        await starts.Held.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        await backend.TerminateAsync();
        starts.Release();
        await abort.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        Assert.Null(backend.Run);
        Assert.Equal((0, 0), (workers.Status.Runs, workers.Status.Granted));
    }

    [Fact]
    public async Task Coordinator_EndedWhileItReserves_LeavesNoSlots()
    {
        var reserves = new HeldCalls(nameof(ISiloSlotsGrain.ReserveAsync));
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2, configureSilo: silo => silo.AddIncomingGrainCallFilter(reserves));
        var coordinator = cluster.Client.GetGrain<ICoordinatorGrain>(Guid.NewGuid());
        reserves.Hold();
        var start = coordinator.StartAsync(new RunRequest(RunRequest.AllSlots, TimeSpan.FromSeconds(30), "test"), []);
        await reserves.Held.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        await coordinator.EndAsync().WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        reserves.Release();
        Assert.Empty((await start.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken)).Slots);
        var status = cluster.Services[0].GetRequiredService<SiloWorkers>().Status;
        Assert.Equal((0, 0), (status.Runs, status.Granted));
    }

    [Fact]
    public async Task Abort_BackendIsUsedOn_IsReady()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        var backend = new OrleansBackend(cluster.Client);
        await backend.ConfigureAsync(new BackendSettings { NJobs = -1 }, TestContext.Current.CancellationToken);
        await backend.AbortEverythingAsync(ensureReady: true);
        Assert.Equal(2, backend.Run?.SlotCount);
        await backend.TerminateAsync();
        Assert.Equal(0, cluster.Services[0].GetRequiredService<SiloWorkers>().Status.Runs);
    }

    /// <summary>Keeps calls of a grain's method waiting.</summary>
    private sealed class HeldCalls(string method) : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _holds;

        internal Task Held => _held.Task;

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (_holds && context.InterfaceMethod.Name == method)
            {
                _held.TrySetResult();
                await _released.Task;
            }

            await context.Invoke();
        }

        internal void Hold() => _holds = true;

        internal void Release() => _released.TrySetResult();
    }
}
