using System.Diagnostics;
using Orleans.Hosting;
using Orleans.Runtime;
using Xunit;

namespace Orleans.Joblib.Tests.Hosting;

/// <summary>How long the end of a silo takes to be known, printed: the figures in docs/deploy.md. Run with <c>-explicit only</c>; it asserts that the end is known at all.</summary>
public sealed class DetectionMeasurement(ITestOutputHelper output)
{
    [Theory(Explicit = true)]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(3, 8)]
    public async Task Kill_UntilTheOthersKnow(int silos, int burners)
    {
        await using var cluster = await SiloCluster.StartAsync(silos);
        using var load = new Load(burners);
        var times = new List<double>();
        for (var round = 0; round < 6; round++)
        {
            // Half of the rounds right after the start of the silo that takes the dead one's place, half once probes have settled.
            if (round % 2 == 1)
            {
                await Task.Delay(TimeSpan.FromSeconds(6));
            }

            var running = cluster.Silos.Where(silo => !silo.HasExited).ToArray();
            times.Add(await UntilGoneAsync(cluster, running[^1], running[0], silo => silo.KillAsync()));
            await cluster.AddAsync();
        }

        output.WriteLine($"kill -9, {silos} silos, {burners} busy processes beside them: {string.Join(", ", times.Select(t => t.ToString("F2")))} s (fresh, settled, fresh, …)");
        Assert.Equal(silos, cluster.Silos.Count(silo => !silo.HasExited));
    }

    [Theory(Explicit = true)]
    [InlineData(20)]
    public async Task Stop_UntilTheOthersKnow(int rounds)
    {
        await using var cluster = await SiloCluster.StartAsync(3);
        var times = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            await SettleAsync(round);
            var running = cluster.Silos.ToArray();
            times.Add(await UntilGoneAsync(cluster, running[^1], running[0], silo =>
            {
                silo.Pause();
                return Task.CompletedTask;
            }));
            await cluster.RemoveAsync(running[^1]);
            await cluster.AddAsync();
        }

        Say("SIGSTOP", times);
    }

    [Theory(Explicit = true)]
    [InlineData(20)]
    public async Task Cut_UntilTheOthersKnow(int rounds)
    {
        Assert.SkipUnless(NetworkNamespaces.AreAvailable(out var reason), reason);
        using var network = NetworkNamespaces.Create(3);
        using var certificates = new TestCertificates();
        var tls = TestCertificates.Arguments(certificates.Silo());
        await using var redis = await RedisServer.StartAsync(network.GatewayAddress);
        var address = redis.ClusterString("cut");
        var silos = Enumerable.Range(0, 3).Select(Launch).ToArray();
        var times = new List<double>();
        try
        {
            await Task.WhenAll(silos.Select(silo => silo.ReadyAsync()));
            for (var round = 0; round < rounds; round++)
            {
                await SettleAsync(round);
                times.Add(await UntilGoneAsync($"{network.Address(0)}:{silos[0].Gateway.Port}?cluster=cut", certificates.ForClient(), silos[2].Address, () =>
                {
                    network.Cut(2);
                    return Task.CompletedTask;
                }));
                await silos[2].DisposeAsync();
                network.Mend(2);
                silos[2] = Launch(2);
                await silos[2].ReadyAsync();
            }
        }
        finally
        {
            foreach (var silo in silos)
            {
                await silo.DisposeAsync();
            }
        }

        Say("link cut", times);

        SiloProcess Launch(int host) => SiloProcess.Launch(
            ["--cluster", address, "--listen-address", network.Address(host), "--health-port", "0", "--slots", "2", .. tls],
            networkNamespace: network.Name(host));
    }

    [Theory(Explicit = true)]
    [InlineData(100, 60)]
    public async Task Load_InTheWorkers(int slots, double seconds)
    {
        await using var cluster = await SiloCluster.StartAsync(2, slots / 2);
        await using var connection = await cluster.ConnectAsync();
        using var parallel = Joblib.Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1);
        var results = await parallel.RunAsync(Enumerable.Range(0, slots).Select(i => Joblib.Delayed(() =>
        {
            for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < seconds;)
            {
            }

            return Environment.ProcessId;
        })));
        Assert.Equal(2, results.Distinct().Count());
        output.WriteLine($"{seconds} s of {slots} computing calls on 2 silos: {cluster.Silos.Count(silo => silo.HasExited)} declared dead");
    }

    [Theory(Explicit = true)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(1.5)]
    [InlineData(2)]
    public async Task Pause_Short(double seconds)
    {
        await using var cluster = await SiloCluster.StartAsync(3);
        await Task.Delay(TimeSpan.FromSeconds(5));
        cluster.Silos[0].Pause();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        cluster.Silos[0].Continue();
        await Task.Delay(TimeSpan.FromSeconds(5));
        output.WriteLine($"SIGSTOP for {seconds} s: {(cluster.Silos[0].HasExited ? "declared dead" : "lives")}");
    }

    [Theory(Explicit = true)]
    [InlineData(8, 20)]
    [InlineData(32, 20)]
    [InlineData(100, 60)]
    public async Task Load_Only(int burners, double seconds)
    {
        await using var cluster = await SiloCluster.StartAsync(4);
        using (var load = new Load(burners))
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds));
        }

        output.WriteLine($"{seconds} s of {burners} busy processes: {cluster.Silos.Count(silo => silo.HasExited)} of 4 silos declared dead");
    }

    private void Say(string fault, List<double> times)
    {
        times.Sort();
        output.WriteLine($"{fault}, 3 silos, {times.Count} rounds: {times[0]:F2} to {times[^1]:F2} s, median {times[times.Count / 2]:F2} s");
    }

    // Half of the rounds right after a silo's start, half once probes have settled, at another moment of their period each.
    private static Task SettleAsync(int round) => Task.Delay(TimeSpan.FromSeconds(round % 2 == 0 ? 0.05 * round : 5 + (0.05 * round)));

    private static Task<double> UntilGoneAsync(SiloCluster cluster, SiloProcess victim, SiloProcess witness, Func<SiloProcess, Task> end) =>
        UntilGoneAsync($"127.0.0.1:{witness.Gateway.Port}?cluster={cluster.Name}", null, victim.Address, () => end(victim));

    private static async Task<double> UntilGoneAsync(string witness, JoblibTlsOptions? tls, SiloAddress address, Func<Task> end)
    {
        // By the witness alone, so that no question goes by way of the dead.
        await using var client = await JoblibCluster.ConnectAsync(witness, new JoblibClusterOptions { Tls = tls });
        var watch = Stopwatch.StartNew();
        await end();
        await Grains.TwoSilos.EventuallyAsync(async () =>
        {
            try
            {
                return !(await client.Client.GetGrain<IManagementGrain>(Random.Shared.Next(1 << 20)).GetHosts(true).WaitAsync(TimeSpan.FromSeconds(0.15))).ContainsKey(address);
            }
            catch (Exception exception) when (exception is TimeoutException or OrleansException)
            {
                return false;
            }
        });
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>Processes that do nothing but compute.</summary>
    private sealed class Load : IDisposable
    {
        private readonly Process[] _processes;

        internal Load(int count) => _processes =
        [
            .. Enumerable.Range(0, count).Select(_ => Process.Start(new ProcessStartInfo("sh", ["-c", "end=$(( $(date +%s) + 90 )); while [ $(date +%s) -lt $end ]; do i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; done"]))!),
        ];

        public void Dispose()
        {
            foreach (var process in _processes)
            {
                process.Kill();
                process.Dispose();
            }
        }
    }
}
