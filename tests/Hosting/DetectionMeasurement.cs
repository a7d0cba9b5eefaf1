using System.Diagnostics;
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
    [InlineData(8)]
    [InlineData(32)]
    public async Task Load_Only(int burners)
    {
        await using var cluster = await SiloCluster.StartAsync(4);
        using (var load = new Load(burners))
        {
            await Task.Delay(TimeSpan.FromSeconds(20));
        }

        output.WriteLine($"20 s of {burners} busy processes: {cluster.Silos.Count(silo => silo.HasExited)} of 4 silos declared dead");
    }

    private static async Task<double> UntilGoneAsync(SiloCluster cluster, SiloProcess victim, SiloProcess witness, Func<SiloProcess, Task> end)
    {
        // By the witness alone, so that no question goes by way of the dead.
        await using var client = await JoblibCluster.ConnectAsync($"127.0.0.1:{witness.Gateway.Port}?cluster={cluster.Name}");
        var address = victim.Address;
        var watch = Stopwatch.StartNew();
        await end(victim);
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
