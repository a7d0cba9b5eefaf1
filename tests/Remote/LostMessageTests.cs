using Orleans.Hosting;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>Messages between client and silos that are lost on their way, and silos that the client does not reach.</summary>
public sealed class LostMessageTests(LostMessageTests.Cluster cluster) : IClassFixture<LostMessageTests.Cluster>
{
    private const int Calls = 60;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_MessageWithBatchesIsLost_LaterBatchesOfItsSlotAreExecuted(bool arrives)
    {
        // Both slots lose their first: without them there is no other way.
        using var loss = new LostMessages(typeof(IBatchGrain), nameof(IBatchGrain.ExecuteRemoteAsync), arrives, most: 2);
        await using var connection = await ConnectAsync(loss);
        await CheckRunAsync(connection, new OrleansBackendOptions());
        Assert.Equal(2, loss.Lost);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_FirstStartIsLost_IsAskedAgain(bool arrives)
    {
        using var loss = new LostMessages(typeof(ICoordinatorGrain), nameof(ICoordinatorGrain.StartAsync), arrives);
        await using var connection = await ConnectAsync(loss);
        await CheckRunAsync(connection, new OrleansBackendOptions { ConnectTimeout = TimeSpan.FromSeconds(6) });
        Assert.Equal(1, loss.Lost);
    }

    [Fact]
    public async Task Run_SiloIsOutOfTheClientsReach_ItsBatchesGoElsewhereAfterALease()
    {
        // The others see it, so nobody says that it has left.
        var away = cluster.Silos.Silos[0];
        var barrier = new Unreachable(away.Address.ToParsableString());
        await using var connection = await ConnectAsync(barrier);
        var processes = await CheckRunAsync(connection, new OrleansBackendOptions { Lease = TimeSpan.FromSeconds(2) });
        Assert.Equal([cluster.Silos.Silos[1].Id], processes.Distinct());
        Assert.True(barrier.Refused > 0);
    }

    [Fact]
    public async Task Run_SiloComesBackIntoTheClientsReach_IsUsedAgain()
    {
        using var meeting = new Rendezvous();
        var back = cluster.Silos.Silos[0];
        var barrier = new Unreachable(back.Address.ToParsableString());
        await using var connection = await ConnectAsync(barrier);
        var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, new OrleansBackendOptions { Lease = TimeSpan.FromSeconds(2) }), batchSize: 1);
        var run = parallel.RunAsync(Enumerable.Range(0, 100_000).Select(i => Delayed(() =>
        {
            if (!meeting.IsSet("both"))
            {
                Thread.Sleep(20);
            }

            return meeting.Add($"process {Environment.ProcessId}");
        })).TakeWhile(_ => !meeting.IsSet("both")), TestContext.Current.CancellationToken);

        // All that was with it has gone elsewhere, or the run would not have come so far.
        Patience.Until(() => meeting.Count($"process {cluster.Silos.Silos[1].Id}") > 150, "the other silo to do the work");
        barrier.Lift();
        Patience.Until(() => meeting.Count($"process {back.Id}") > 0, "the silo to be used again");
        meeting.Set("both");
        await run.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
    }

    private Task<JoblibCluster> ConnectAsync(IOutgoingGrainCallFilter filter) =>
        cluster.Silos.ConnectAsync(new JoblibClusterOptions { ConfigureClient = client => client.AddOutgoingGrainCallFilter(filter) });

    private static async Task<IEnumerable<int>> CheckRunAsync(JoblibCluster connection, OrleansBackendOptions options)
    {
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, options), batchSize: 1);
        var results = await parallel.RunAsync(Enumerable.Range(0, Calls).Select(i => Delayed(() => (Value: i * i, Environment.ProcessId)))).WaitAsync(Patience.Limit);
        Assert.Equal(Enumerable.Range(0, Calls).Select(i => i * i), results.Select(result => result.Value));
        return results.Select(result => result.ProcessId);
    }

    public sealed class Cluster() : RemoteClusterFixture("tests-lost-messages", silos: 2, slotsPerSilo: 1);

    /// <summary>A cut between the client and one silo's slots.</summary>
    private sealed class Unreachable(string silo) : IOutgoingGrainCallFilter
    {
        private int _refused;
        private volatile bool _lifted;

        internal int Refused => Volatile.Read(ref _refused);

        public async Task Invoke(IOutgoingGrainCallContext context)
        {
            if (!_lifted
                && (context.InterfaceMethod.DeclaringType == typeof(IBatchGrain) || context.InterfaceMethod.Name == nameof(ISiloSlotsGrain.CheckAsync))
                && context.TargetId.Key.ToString()!.EndsWith("@" + silo, StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _refused);
                throw new TimeoutException("The link is cut.");
            }

            await context.Invoke();
        }

        internal void Lift() => _lifted = true;
    }
}
