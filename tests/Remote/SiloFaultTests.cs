using System.Diagnostics;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>Silos that die, stand still, go and come in the middle of a run: every call's result comes once, and it is the right one.</summary>
public sealed class SiloFaultTests(ITestOutputHelper output)
{
    private const int Calls = 400;

    [Fact]
    public async Task Run_SiloIsKilled_ItsBatchesRunElsewhere()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 3, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        var run = RunAsync(connection, out var first);
        await first;
        await cluster.Silos[1].KillAsync();
        var killedAt = Stopwatch.GetTimestamp();
        Check(await run);
        output.WriteLine($"The run ended {Stopwatch.GetElapsedTime(killedAt).TotalSeconds:0.00} s after the kill.");
    }

    [Fact]
    public async Task Run_EverySiloButOneIsKilledInTurn_TheRunGoesOn()
    {
        // Whichever of them has the coordinator, it is among the dead or its death is not needed.
        await using var cluster = await SiloCluster.StartAsync(silos: 3, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        var run = RunAsync(connection, out var first);
        await first;
        await cluster.Silos[0].KillAsync();
        await cluster.Silos[1].KillAsync();
        Check(await run);
    }

    [Fact]
    public async Task Run_SiloIsTerminated_ItFinishesWhatItHasAndGivesTheRestBack()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 2, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        var run = RunAsync(connection, out var first);
        await first;
        cluster.Silos[0].Terminate();
        Assert.Equal(0, await cluster.Silos[0].ExitAsync());
        Check(await run);
    }

    [Fact]
    public async Task Run_SiloIsTerminated_StartedBatchesEndThereAndQueuedOnesElsewhereEachMadeOnce()
    {
        const int Total = 40;
        const int Slots = 2;
        await using var cluster = await SiloCluster.StartAsync(silos: 2, slots: Slots);
        await using var connection = await cluster.ConnectAsync();
        using var meeting = new Rendezvous();
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1, preDispatch: "all");
        var run = parallel.RunAsync(
            Enumerable.Range(0, Total).Select(i => Delayed(() =>
            {
                meeting.Note("made", $"{i} {Environment.ProcessId}");
                meeting.Await("go", "the test to let calls end");
                return i;
            })),
            TestContext.Current.CancellationToken);
        var going = cluster.Silos[0];
        Patience.Until(() => meeting.Noted("made").Length == 2 * Slots, "every worker to be in a call");
        await QueuedAsync(connection, going);
        var startedThere = MadeBy(meeting, going.Id);
        Assert.Equal(Slots, startedThere.Length);

        going.Terminate();
        Patience.Until(() => going.Output.Contains("Draining: ", StringComparison.Ordinal), "the silo to drain");
        meeting.Set("go");
        Assert.Equal(Enumerable.Range(0, Total), await run.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));
        Assert.Equal(0, await going.ExitAsync());
        Assert.Equal(startedThere, MadeBy(meeting, going.Id));
        Assert.Equal(Enumerable.Range(0, Total), meeting.Noted("made").Select(line => int.Parse(line.Split(' ')[0])).Order());
        output.WriteLine(going.Output);
    }

    [Fact]
    public async Task Run_TheOnlySiloIsKilled_FailsByNameAfterALease()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 1, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        using var meeting = new Rendezvous();
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, new OrleansBackendOptions { Lease = TimeSpan.FromSeconds(2) }), batchSize: 1);
        var run = parallel.RunAsync([Delayed(() =>
        {
            meeting.Set("started");
            meeting.Await("never", "the silo to be killed");
            return 1;
        })]);
        await meeting.AwaitAsync("started", "the call to start");
        await cluster.Silos[0].KillAsync();
        AssertLost(run);
    }

    [Fact]
    public async Task Cancel_SiloOfTheRunStandsStill_IsAnsweredByTheOther()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 2, slots: 1);
        await using var connection = await cluster.ConnectAsync();
        using var meeting = new Rendezvous();
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1);
        var run = parallel.RunAsync(Enumerable.Range(0, 2).Select(_ => Delayed(() =>
        {
            meeting.Add("started");
            meeting.Await("never", "the run to be cancelled");
            return 1;
        })));
        Patience.Until(() => meeting.Count("started") == 2, "both silos to execute");
        var monitor = new ClusterMonitor(connection.Client);
        var view = await monitor.LookAsync(TestContext.Current.CancellationToken);
        var id = Assert.Single(view.Runs).Run;
        var coordinator = view.Silos.Single(silo => silo.View!.Runs.Any(known => known.Run == id)).Address;
        var still = cluster.Silos.Single(silo => !silo.Address.Equals(coordinator));

        // By the gateway that answers.
        await using var other = await JoblibCluster.ConnectAsync($"{cluster.Silos.Single(silo => silo != still).Gateway}?cluster={cluster.Name}", new JoblibClusterOptions { ConnectTimeout = Patience.Limit });
        monitor = new ClusterMonitor(other.Client);
        still.Pause();
        try
        {
            // The run's coordinator, or what is asked for it, may have been registered with the silo that stands still: then that begins anew, and the client tells of its run.
            using var patience = new CancellationTokenSource(Patience.Limit);
            while (!await TryCancelAsync(patience.Token))
            {
                await Task.Delay(100, patience.Token);
            }
        }
        finally
        {
            still.Continue();
        }

        var error = await Assert.ThrowsAsync<JoblibException>(() => run.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));
        Assert.Contains("from the tests.", error.Message, StringComparison.Ordinal);

        async Task<bool> TryCancelAsync(CancellationToken cancellationToken)
        {
            try
            {
                return run.IsCompleted || await monitor.CancelAsync(id, "from the tests.", cancellationToken);
            }
            catch (JoblibException exception) when (exception.HelpLink == "docs/errors.md#cluster-not-reached")
            {
                return false;
            }
        }
    }

    // The silo grants nothing any more while it drains: the run has neither a slot nor a batch out there when it goes.
    [Fact]
    public async Task Run_TheOnlySiloDrainsAndGoes_FailsByNameAfterALease()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 1, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        using var meeting = new Rendezvous();
        using var other = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1);
        var others = other.RunAsync([Delayed(() =>
        {
            meeting.Set("started");
            meeting.Await("go", "the silo to have drained the other run");
            return 1;
        })]);
        await meeting.AwaitAsync("started", "the call that keeps the silo draining");
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, new OrleansBackendOptions { Lease = TimeSpan.FromSeconds(2) }), batchSize: 1, preDispatch: 1);
        var draining = new TaskCompletionSource();
        var run = parallel.RunAsync(CallsAsync());
        await meeting.AwaitAsync("first", "the first call");
        cluster.Silos[0].Terminate();
        await AwaitLineAsync(cluster.Silos[0], "Draining");
        draining.SetResult();

        // Its second call is sent back, and it looks twice for slots.
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        meeting.Set("go");
        Patience.Await(others, "the other run");
        await cluster.Silos[0].ExitAsync();
        AssertLost(run);

        async IAsyncEnumerable<Delayed<int>> CallsAsync()
        {
            yield return Delayed(() =>
            {
                meeting.Set("first");
                return 1;
            });
            await draining.Task;
            yield return Delayed(() => 2);
        }
    }

    [Fact]
    public async Task Run_SiloJoins_ItGetsSlots()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 1, slots: 1);
        await using var connection = await cluster.ConnectAsync();
        var run = RunAsync(connection, out var first);
        await first;
        var joined = await cluster.AddAsync();
        var results = await run;
        Check(results);
        Assert.Contains(joined[0].Id, results.Select(result => result.Process));
    }

    private static void AssertLost(Task run) =>
        Assert.EndsWith("#cluster-lost", Assert.IsType<JoblibException>(Patience.ThrownBy(() => Patience.Await(run, "the run"))).HelpLink, StringComparison.Ordinal);

    private static async Task AwaitLineAsync(SiloProcess silo, string line)
    {
        for (var startedAt = Stopwatch.GetTimestamp(); !silo.Output.Contains(line, StringComparison.Ordinal); await Task.Delay(10))
        {
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience.Limit, silo.Output);
        }
    }

    [Fact]
    public async Task Run_SiloIsPausedUntilItIsGivenUp_ItsBatchesRunElsewhereAndItsLateOutcomesAreIgnored()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 3, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        var run = RunAsync(connection, out var first);
        await first;
        cluster.Silos[2].Pause();
        Check(await run);
        cluster.Silos[2].Continue();
        Check(await RunAsync(connection, out _));
    }

    [Fact]
    public async Task Run_CallThatKillsItsSilo_FailsTheRunByNameAfterThreeSilos()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 4, slots: 1);
        await using var connection = await cluster.ConnectAsync();
        var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1);
        var thrown = await Assert.ThrowsAsync<TerminatedWorkerException>(() =>
            parallel.RunAsync(Enumerable.Range(0, 8).Select(i => Delayed(Deadly, i)), TestContext.Current.CancellationToken));
        Assert.Contains("Deadly(3)", thrown.Message);
        Assert.Equal(3, cluster.Silos.Count(silo => silo.HasExited));
    }

    private static string[] MadeBy(Rendezvous meeting, int process) =>
        [.. meeting.Noted("made").Where(line => line.EndsWith($" {process}", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static async Task QueuedAsync(JoblibCluster connection, SiloProcess silo)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await connection.Client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo.Address)).GetStatusAsync()).Queued == 0)
        {
            await look.WaitForNextTickAsync(limit.Token);
        }
    }

    private static int Deadly(int i)
    {
        if (i == 3)
        {
            Process.GetCurrentProcess().Kill();
        }

        return i;
    }

    private static (int Value, int Process) Slow(int i)
    {
        Thread.Sleep(20);
        return (i * i, Environment.ProcessId);
    }

    /// <param name="connection">The cluster.</param>
    /// <param name="first">Completes when calls are being made.</param>
    private static Task<(int Value, int Process)[]> RunAsync(JoblibCluster connection, out Task first)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        first = begun.Task;
        var progress = new Begun(begun);
        var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 2, progress: progress);
        return parallel.RunAsync(Enumerable.Range(0, Calls).Select(i => Delayed(Slow, i)), TestContext.Current.CancellationToken);
    }

    private static void Check((int Value, int Process)[] results) => Assert.Equal(Enumerable.Range(0, Calls).Select(i => i * i), results.Select(result => result.Value));

    private sealed class Begun(TaskCompletionSource begun) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => begun.TrySetResult();
    }
}
