using System.Diagnostics;
using Orleans.Runtime;
using Xunit;

namespace Orleans.Joblib.Tests.Hosting;

/// <summary>Silos as processes with membership in Redis: who notices whose end.</summary>
public sealed class MembershipTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Kill_OneSilo_TheOthersDeclareItDead(int silos)
    {
        await using var cluster = await SiloCluster.StartAsync(silos);
        await using var client = await cluster.ConnectAsync();
        await AreActiveAsync(client, [.. cluster.Silos]);

        var killed = cluster.Silos[0];
        var watch = Stopwatch.StartNew();
        await killed.KillAsync();
        await AreActiveAsync(client, [.. cluster.Silos.Where(silo => silo != killed)]);
        TestContext.Current.TestOutputHelper?.WriteLine($"{silos} silos: dead after {watch.Elapsed.TotalSeconds:F2} s");

        // The slots of those that are left still answer.
        foreach (var silo in cluster.Silos.Skip(1))
        {
            Assert.Equal(2, (await client.Client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo.Address)).GetStatusAsync()).Size);
        }
    }

    [Fact]
    public async Task Kill_AllSilos_NewOnesFormTheClusterAgain()
    {
        await using var cluster = await SiloCluster.StartAsync(2);
        await Task.WhenAll(cluster.Silos.Select(silo => silo.KillAsync()));
        var watch = Stopwatch.StartNew();
        var added = await cluster.AddAsync(1);
        TestContext.Current.TestOutputHelper?.WriteLine($"ready {watch.Elapsed.TotalSeconds:F2} s after all were killed");
        await using var client = await cluster.ConnectAsync();
        await AreActiveAsync(client, [.. added]);
    }

    [Fact]
    public async Task Redis_KilledAndStartedEmpty_MembersAreBackAndDeathsAreNoticed()
    {
        await using var cluster = await SiloCluster.StartWithRedisAsync(3);
        await using (var before = await cluster.ConnectAsync())
        {
            await AreActiveAsync(before, [.. cluster.Silos]);
        }

        await cluster.Redis.RestartAsync();
        await using var client = await cluster.ConnectAsync();
        await AreActiveAsync(client, [.. cluster.Silos]);
        await cluster.Silos[0].KillAsync();
        await AreActiveAsync(client, [.. cluster.Silos.Skip(1)]);
        var added = await cluster.AddAsync();
        await AreActiveAsync(client, [.. cluster.Silos.Skip(1)]);
        Assert.False(added[0].HasExited);
    }

    [Fact]
    public async Task Redis_AwayDuringARun_RunsGoOnAndNewcomersFailByNameUntilItIsBack()
    {
        await using var cluster = await SiloCluster.StartWithRedisAsync(2);
        await using var client = await cluster.ConnectAsync();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var away = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var run = Task.Run(async () =>
        {
            var results = new List<int>();
            await foreach (var result in Joblib.Parallel(nJobs: -1, backend: new OrleansBackend(client.Client), batchSize: 1).StreamAsync(Enumerable.Range(0, 100).Select(i => Joblib.Delayed(Math.Abs, i))))
            {
                results.Add(result);
                begun.TrySetResult();
                await away.Task.WaitAsync(Patience.Limit);
            }

            return results;
        });
        await begun.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        await cluster.Redis.KillAsync();
        away.SetResult();
        Assert.Equal(Enumerable.Range(0, 100), await run.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));

        // Those who are in need it for nothing; who wants to come in is told what is missing.
        await AbsAsync(client, 4);
        var error = await Assert.ThrowsAsync<JoblibException>(() => cluster.ConnectAsync(new JoblibClusterOptions { ConnectTimeout = TimeSpan.FromSeconds(1) }));
        Assert.Equal("docs/errors.md#redis-not-reached", error.HelpLink);

        await cluster.Redis.RestartAsync();
        await using var late = await cluster.ConnectAsync();
        await AreActiveAsync(late, [.. cluster.Silos]);
        await AbsAsync(late, 5);
    }

    [Fact]
    public async Task Redis_StartedEmptyRightAfterASiloJoined_AllStay()
    {
        await using var cluster = await SiloCluster.StartWithRedisAsync(2);
        await cluster.AddAsync();
        await cluster.Redis.RestartAsync();
        await using var client = await cluster.ConnectAsync();
        await AreActiveAsync(client, [.. cluster.Silos]);
        Assert.DoesNotContain(cluster.Silos, silo => silo.HasExited);
    }

    [Fact]
    public async Task Sigterm_OneSilo_LeavesAtOnceAndJoinersAreFound()
    {
        await using var cluster = await SiloCluster.StartAsync(2);
        await using var client = await cluster.ConnectAsync();
        cluster.Silos[0].Terminate();
        Assert.Equal(0, await cluster.Silos[0].ExitAsync());
        await AreActiveAsync(client, [cluster.Silos[1]]);
        var added = await cluster.AddAsync();
        await AreActiveAsync(client, [cluster.Silos[1], added[0]]);
    }

    [Fact]
    public async Task Pause_LongerThanTheLimit_IsDeclaredDeadAndEndsWhenItWakes()
    {
        await using var cluster = await SiloCluster.StartAsync(3);
        await using var client = await cluster.ConnectAsync();
        var watch = Stopwatch.StartNew();
        cluster.Silos[0].Pause();
        await AreActiveAsync(client, [.. cluster.Silos.Skip(1)]);
        TestContext.Current.TestOutputHelper?.WriteLine($"paused silo dead after {watch.Elapsed.TotalSeconds:F2} s");
        cluster.Silos[0].Continue();
        Assert.NotEqual(0, await cluster.Silos[0].ExitAsync());
    }

    [Fact]
    public async Task Cut_SilosLinkInItsOwnNamespace_IsDeclaredDead()
    {
        if (!NetworkNamespaces.AreAvailable(out var reason))
        {
            Assert.Skip(reason);
        }

        using var network = NetworkNamespaces.Create(3);
        using var certificates = new TestCertificates();
        var tls = TestCertificates.Arguments(certificates.Silo());
        await using var redis = await RedisServer.StartAsync(network.GatewayAddress);
        var address = redis.ClusterString("cut");
        var silos = Enumerable.Range(0, 3).Select(host => SiloProcess.Launch(
            ["--cluster", address, "--listen-address", network.Address(host), "--health-port", "0", "--slots", "2", .. tls],
            networkNamespace: network.Name(host))).ToArray();
        try
        {
            await Task.WhenAll(silos.Select(silo => silo.ReadyAsync()));
            await using var client = await JoblibCluster.ConnectAsync(address, new JoblibClusterOptions { Tls = certificates.ForClient() });
            await AreActiveAsync(client, silos);
            var watch = Stopwatch.StartNew();
            network.Cut(0);
            await AreActiveAsync(client, silos[1..]);
            TestContext.Current.TestOutputHelper?.WriteLine($"cut silo dead after {watch.Elapsed.TotalSeconds:F2} s");
        }
        finally
        {
            foreach (var silo in silos)
            {
                await silo.DisposeAsync();
            }
        }
    }

    /// <summary>Waits until exactly these silos are active. A question to a silo that died is never answered: each has its own short time.</summary>
    private static async Task AbsAsync(JoblibCluster cluster, int value)
    {
        var results = await Joblib.Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client)).RunAsync([Joblib.Delayed(Math.Abs, -value)], TestContext.Current.CancellationToken).WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        Assert.Equal(value, Assert.Single(results));
    }

    private static Task AreActiveAsync(JoblibCluster client, SiloProcess[] silos)
    {
        var expected = silos.Select(silo => silo.Address).ToHashSet();
        var last = "nobody answered";
        return Grains.TwoSilos.EventuallyAsync(
            async () =>
            {
                try
                {
                    var hosts = await client.Client.GetGrain<IManagementGrain>(Random.Shared.Next(1 << 20)).GetHosts(onlyActive: true).WaitAsync(TimeSpan.FromSeconds(0.3));
                    last = string.Join(", ", hosts.Keys);
                    return expected.SetEquals(hosts.Keys);
                }
                catch (Exception exception) when (exception is TimeoutException or OrleansException)
                {
                    last = $"{last}; {exception.GetType().Name} {exception.Message}";
                    last = last[Math.Max(0, last.Length - 500)..];
                    return false;
                }
            },
            () => Task.FromResult($"Active: {last}; expected: {string.Join(", ", expected)}\n{string.Join("\n", silos.Select(silo => silo.Output))}"));
    }
}
