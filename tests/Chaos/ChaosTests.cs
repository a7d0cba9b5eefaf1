using System.Diagnostics;
using System.Text;
using Xunit;
using static System.FormattableString;

namespace Orleans.Joblib.Tests.Chaos;

/// <summary>Random loops on real silo processes, and one random fault in the middle of each.</summary>
/// <remarks>
/// JOBLIB_CHAOS_SEED repeats the loops and faults of a run, JOBLIB_CHAOS_ROUNDS says how many. Two loops of one client run side by side in a round, and the fault hits both: a round spends most
/// of its time on the fault being noticed and on the next silo's start. Links are cut where this user may make network namespaces, each silo in one of its own; elsewhere the silo is paused.
/// </remarks>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int Silos = 3;
    private const int MostSilos = 4;
    private const int LoopsPerRound = 2;
    private const int SlotsPerSilo = 2;
    private const int CheckEvery = 10;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RoundLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly HashSet<int> _processes = [];

    [Fact]
    public Task Rounds_Three_GiveWhatTheSequentialLoopGives() => RunAsync(3);

    [Fact(Explicit = true)]
    public Task Rounds_Many_GiveWhatTheSequentialLoopGives() =>
        RunAsync(int.TryParse(Environment.GetEnvironmentVariable("JOBLIB_CHAOS_ROUNDS"), out var rounds) ? rounds : 200);

    private async Task RunAsync(int rounds)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("JOBLIB_CHAOS_SEED"), out var given) ? given : Random.Shared.Next();
        Say($"JOBLIB_CHAOS_SEED={seed}, {rounds} rounds");
        var seeds = new Random(seed);
        var cache = Directory.CreateTempSubdirectory("joblib-chaos-").FullName;
        var faults = new SortedDictionary<ChaosFault, int>();
        var began = Stopwatch.GetTimestamp();
        await using (var cluster = await StartAsync(cache))
        {
            await using var connection = await cluster.ConnectAsync();
            for (var round = 0; round < rounds; round++)
            {
                // Each round has a source of its own, so that what luck did in one does not change the next.
                var random = new Random(seeds.Next());
                var fault = (ChaosFault)random.Next(Enum.GetValues<ChaosFault>().Length);
                ChaosLoop[] loops = [.. Enumerable.Range(0, LoopsPerRound).Select(_ => new ChaosLoop(random))];
                var what = $"seed {seed}, round {round}: {fault}; {string.Join("; ", loops.AsEnumerable())}";
                var startedAt = Stopwatch.GetTimestamp();
                try
                {
                    await RunRoundAsync(cluster, connection, fault, loops, random);
                    var tookFor = Stopwatch.GetElapsedTime(startedAt);
                    await RefillAsync(cluster);
                    faults[fault] = faults.GetValueOrDefault(fault) + 1;
                    Say(Invariant($"{what}: {tookFor.TotalSeconds:0.0} s, silos again {Stopwatch.GetElapsedTime(startedAt).TotalSeconds - tookFor.TotalSeconds:0.0} s"));
                    if ((round + 1) % CheckEvery == 0 || round + 1 == rounds)
                    {
                        await CheckNothingIsLeftAsync(cluster, connection);
                        Assert.Empty(Directory.EnumerateFiles(Path.Combine(cache, "temp")));
                    }
                }
                catch (Exception exception)
                {
                    throw new InvalidOperationException($"{what}\n{exception.Message}\n{await StateAsync(cluster, connection)}", exception);
                }
            }
        }

        Assert.DoesNotContain(_processes, IsRunning);
        Directory.Delete(cache, recursive: true);
        Say(Invariant($"seed {seed}: {rounds * LoopsPerRound} loops in {rounds} rounds ({string.Join(", ", faults.Select(fault => $"{fault.Key} {fault.Value}"))}): {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s"));
    }

    private static Task<SiloCluster> StartAsync(string cache)
    {
        string[] arguments = ["--code-cache", cache];
        return NetworkNamespaces.AreAvailable(out _)
            ? SiloCluster.StartOnHostsAsync(Silos, SlotsPerSilo, mostHosts: MostSilos + 1, arguments)
            : SiloCluster.StartWithRedisAsync(Silos, SlotsPerSilo, arguments);
    }

    private async Task RunRoundAsync(SiloCluster cluster, JoblibCluster connection, ChaosFault fault, ChaosLoop[] loops, Random random)
    {
        _processes.UnionWith(cluster.Silos.Select(silo => silo.Id).Append(cluster.Redis.ProcessId));
        using var victim = fault == ChaosFault.ClientKilled ? await LoopClientProcess.StartAsync(cluster.Address, Lease) : null;
        if (victim is not null)
        {
            _processes.Add(victim.Id);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(RoundLimit);
        var moment = new Moment(random.Next(loops.Min(loop => loop.Count)));
        var run = Task.WhenAll(loops.Select(loop =>
            Task.Run(() => loop.RunAsync(new OrleansBackend(connection.Client, new OrleansBackendOptions { Lease = Lease }), moment, limit.Token))));
        await Task.WhenAny(moment.Reached, run, Task.Delay(Timeout.Infinite, limit.Token));
        var disturb = DisturbAsync(cluster, fault, victim, random);
        try
        {
            // Beyond the token's time: a run that does not even end when it is cancelled is a failure too.
            await run.WaitAsync(RoundLimit + Lease);
        }
        catch (Exception) when (limit.IsCancellationRequested)
        {
            throw new HungException($"the loop within {RoundLimit}");
        }
        finally
        {
            await disturb;
        }
    }

    private static async Task DisturbAsync(SiloCluster cluster, ChaosFault fault, LoopClientProcess? victim, Random random)
    {
        var silo = cluster.Silos[random.Next(cluster.Silos.Count)];
        switch (fault)
        {
            case ChaosFault.SiloKilled:
                await silo.KillAsync();
                break;
            case (ChaosFault.SiloPaused or ChaosFault.LinkCut) when !silo.HasExited:
                // Some too short to be noticed, some too long to be survived.
                var isCut = fault == ChaosFault.LinkCut && cluster.HasHosts;
                (isCut ? () => cluster.Cut(silo) : (Action)silo.Pause)();
                await Task.Delay(TimeSpan.FromSeconds(0.5 + (3.5 * random.NextDouble())));
                (isCut ? () => cluster.Mend(silo) : (Action)silo.Continue)();
                break;
            case ChaosFault.SiloTerminated when !silo.HasExited:
                silo.Terminate();
                await silo.ExitAsync();
                break;
            case ChaosFault.SiloJoined:
                await cluster.AddAsync();
                break;
            case ChaosFault.RedisRestartedEmpty:
                await cluster.Redis.KillAsync();
                await Task.Delay(TimeSpan.FromSeconds(3 * random.NextDouble()));
                await cluster.Redis.RestartAsync();
                break;
            case ChaosFault.ClientKilled:
                await victim!.KillAsync();
                break;
        }
    }

    /// <summary>Enough silos again: the dead are replaced unless others have joined, and one too many goes.</summary>
    private static async Task RefillAsync(SiloCluster cluster)
    {
        foreach (var dead in cluster.Silos.Where(silo => silo.HasExited).ToList())
        {
            await cluster.RemoveAsync(dead);
        }

        if (cluster.Silos.Count > MostSilos)
        {
            var silo = cluster.Silos[0];
            silo.Terminate();
            await silo.ExitAsync();
            await cluster.RemoveAsync(silo);
        }

        if (cluster.Silos.Count < Silos)
        {
            await cluster.AddAsync(Silos - cluster.Silos.Count);
        }
    }

    /// <summary>No silo keeps a run, a queued batch or a busy worker, once leases have run out.</summary>
    private static async Task CheckNothingIsLeftAsync(SiloCluster cluster, JoblibCluster connection)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var timer = new PeriodicTimer(Look);
        while (true)
        {
            var all = await Task.WhenAll(cluster.Silos.Where(silo => !silo.HasExited).Select(silo => StatusAsync(connection, silo)));
            if (all.All(status => status is { Runs: 0, Queued: 0, Busy: 0 }))
            {
                return;
            }

            try
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new HungException("every silo to be without runs, queued batches and busy workers");
            }
        }
    }

    private static async Task<SiloSlots?> StatusAsync(JoblibCluster connection, SiloProcess silo)
    {
        try
        {
            return await connection.Client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo.Address)).GetStatusAsync().WaitAsync(TimeSpan.FromSeconds(5));
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException)
        {
            return null;
        }
    }

    private static async Task<string> StateAsync(SiloCluster cluster, JoblibCluster connection)
    {
        const int LastLines = 60;
        var text = new StringBuilder();
        foreach (var silo in cluster.Silos)
        {
            var status = silo.HasExited ? "exited" : (await StatusAsync(connection, silo))?.ToString() ?? "no answer";
            text.AppendLine($"--- silo {silo.Id}: {status}").AppendJoin('\n', silo.Output.Split('\n').TakeLast(LastLines)).AppendLine();
        }

        return text.ToString();
    }

    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private void Say(string text) => output.WriteLine($"{DateTime.Now:HH:mm:ss.fff} {text}");

    /// <summary>When a number of calls has ended.</summary>
    private sealed class Moment(long calls) : IProgress<RunProgress>
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Reached => _reached.Task;

        public void Report(RunProgress value)
        {
            if (value.Completed >= calls)
            {
                _reached.TrySetResult();
            }
        }
    }
}
