using System.Net;
using Orleans.Hosting;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Hosting;

[Collection(ProcessWideCollection.Name)]
public sealed class ConnectTests
{
    private static readonly JoblibClusterOptions Soon = new() { ConnectTimeout = TimeSpan.FromSeconds(1) };

    // Where something answers: on a busy machine not within a second.
    private static readonly JoblibClusterOptions Patient = new() { ConnectTimeout = Patience.Limit / 2 };

    [Fact]
    public async Task Connect_PasswordOfSignsThatMeanSomethingToRedisClients_SilosAndClientsGetIn()
    {
        const string Password = "p,ssl=true,abortConnect=x=?@:/ y";
        await using var redis = await RedisServer.StartAsync(password: Password);
        await using var silo = await SiloProcess.StartAsync("--cluster", redis.ClusterString("signs"));
        await using (var connection = await JoblibCluster.ConnectAsync(redis.ClusterString("signs"), new JoblibClusterOptions { ConnectTimeout = Patience.Limit }))
        {
            Assert.Equal([3], Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client)).Run([Delayed(Math.Abs, -3)]));
        }

        Assert.DoesNotContain("abortConnect", silo.Output, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<JoblibException>(() => JoblibCluster.ConnectAsync(redis.ClusterString("signs").Replace("p%2C", "q%2C", StringComparison.Ordinal)));
        Assert.DoesNotContain("abortConnect", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_NoRedis_SaysWhere()
    {
        var port = FreePorts.Next();
        await FailsAsync($"redis://:secret@127.0.0.1:{port}?cluster=c", "redis-not-reached", $"Redis at 'redis://127.0.0.1:{port}?cluster=c' was not reached");
    }

    [Fact]
    public async Task Connect_RedisKnowsNoSuchCluster_SaysSoAndWritesNothing()
    {
        await using var redis = await RedisServer.StartAsync();
        await FailsAsync(redis.ClusterString("nobody"), "cluster-not-found", "knows no cluster 'nobody'");
        await FailsAsync(redis.ClusterString("nobody"), "cluster-not-found", "knows no cluster 'nobody'");
    }

    [Fact]
    public async Task Connect_NoGateway_SaysWhere()
    {
        var port = FreePorts.Next();
        await FailsAsync($"localhost:{port}", "cluster-not-reached", $"The cluster 'localhost:{port}?cluster=joblib' was not reached");
    }

    [Fact]
    public async Task Connect_UnknownHost_SaysSo() => await FailsAsync("no-such-host.invalid:1", "cluster-not-reached", "'no-such-host.invalid'");

    [Fact]
    public async Task Connect_ClusterOfAnotherName_NamesIt()
    {
        await using var silo = await GuestSilo.StartAsync();
        await FailsAsync($"{silo.Cluster}?cluster=other", "cluster-not-reached", "'other'");
    }

    [Fact]
    public async Task Connect_AnotherProtocolVersion_NamesBoth()
    {
        await using var silo = await GuestSilo.StartAsync(protocol: 99);
        await FailsAsync(silo.Cluster, "protocol-version", $"speaks protocol version '{JoblibProtocol.Version}', the silos of '{silo.Cluster}?cluster=joblib' speak '99'", Patient);
    }

    [Fact]
    public async Task Run_AnotherProtocolVersion_NamesBothBeforeAnyCall()
    {
        var called = false;
        await using var cluster = await LocalCluster.StartAsync(configureSilo: silo => silo.AddJoblibWorkers(workers => workers.Protocol = 99));
        var exception = Assert.Throws<JoblibException>(
            () => Parallel(nJobs: 2, backend: new OrleansBackend(cluster.Client)).Run(Enumerable.Range(0, 3).Select(i => Delayed(() => called = true))));
        Assert.Contains("'99'", exception.Message);
        Assert.False(called);
    }

    [Fact]
    public async Task Connect_Cancelled_Stops()
    {
        using var cancellation = new CancellationTokenSource();
        var connecting = JoblibCluster.ConnectAsync($"localhost:{FreePorts.Next()}", new JoblibClusterOptions { ConnectTimeout = TimeSpan.FromMinutes(1) }, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Patience.Limit));
    }

    [Fact]
    public void Connect_NotAClusterString_ThrowsAtOnce() => Assert.Throws<ArgumentException>(() => { _ = JoblibCluster.ConnectAsync("redis://"); });

    [Fact]
    public async Task Environment_NamesACluster_MakesOrleansLive()
    {
        var port = FreePorts.Next().ToString();
        await using var silo = await SiloProcess.StartAsync("--silo-port", port, "--primary-port", port, "--slots", "5");
        try
        {
            Environment.SetEnvironmentVariable(EnvironmentCluster.Variable, $"localhost:{silo.Gateway.Port}");
            using (ParallelConfig(backend: "orleans"))
            {
                Assert.Equal(5, EffectiveNJobs());
            }
        }
        finally
        {
            Environment.SetEnvironmentVariable(EnvironmentCluster.Variable, null);
            await EnvironmentCluster.DisconnectAsync();
        }
    }

    [Fact]
    public void Environment_NothingSetOrRegistered_ErrorNamesTheVariable() =>
        Assert.Contains("JOBLIB_ORLEANS_CLUSTER", Assert.Throws<ArgumentException>(() => Parallel(backend: "orleans")).Message);

    private static async Task FailsAsync(string cluster, string heading, string says, JoblibClusterOptions? options = null)
    {
        var exception = await Assert.ThrowsAsync<JoblibException>(() => JoblibCluster.ConnectAsync(cluster, options ?? Soon).WaitAsync(Patience.Limit));
        Assert.Equal("docs/errors.md#" + heading, exception.HelpLink);
        Assert.True(exception.Message.Contains(says, StringComparison.Ordinal), exception.Message);
        Assert.DoesNotContain("secret", exception.Message);
    }
}
