using Orleans.Joblib.Tests.Processes;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>Worker processes of silos: those of the silo's own setting and those that a run asks for.</summary>
public sealed class ProcessWorkersTests
{
    [Theory]
    [InlineData(Crash.Kill, "exit code 137, SIGKILL")]
    [InlineData(Crash.FailFast, "exit code 134, SIGABRT")]
    [InlineData(Crash.Segfault, "exit code 139, SIGSEGV")]
    [InlineData(Crash.Exit, "exit code 7")]
    public async Task Run_CallEndsItsProcess_FailsNamingCallAndExit_AndHarmsNobodyElse(Crash crash, string exit)
    {
        await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 2);
        await using var cluster = await silos.ConnectAsync();
        using var other = Parallel(-1, new OrleansBackend(cluster.Client), batchSize: 1, prefer: Prefer.Processes);
        var unharmed = other.RunAsync(Enumerable.Range(0, 60).Select(i => Delayed(Nap, i)));
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client), batchSize: 8, prefer: Prefer.Processes);
        var thrown = Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 40).Select(i => Delayed(CrashAt, i, 17, crash))));
        var message = Assert.IsType<TerminatedWorkerException>(thrown).Message;
        Assert.Contains($"call 17, {nameof(ProcessWorkersTests)}.{nameof(CrashAt)}(17, 17, {crash})", message, StringComparison.Ordinal);
        Assert.Contains(exit, message, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, 40), Patience.Within(() => parallel.Run(Enumerable.Range(0, 40).Select(i => Delayed(CrashAt, i, 17, Crash.None)))));
        Assert.Equal(Enumerable.Range(0, 60), Patience.Await(unharmed, "a run on the same silo"));
        Assert.False(silos.Silos[0].HasExited, silos.Silos[0].Output);
    }

    [Fact]
    public async Task Run_CacheIsCleanedUpBetweenTwoRuns_WorkersThatStartThenGetTheirCodeAgain()
    {
        var cache = Directory.CreateTempSubdirectory("joblib-tests-").FullName;
        try
        {
            await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 2, "--workers", "processes", "--idle-worker-timeout", "0", "--code-cache", cache);
            await using var cluster = await silos.ConnectAsync();
            Assert.Equal(Enumerable.Range(0, 10), Patience.Within(Loop));
            foreach (var blob in Directory.GetFiles(Path.Combine(cache, "blobs")))
            {
                File.Delete(blob);
            }

            Assert.Equal(Enumerable.Range(0, 10), Patience.Within(Loop));

            int[] Loop()
            {
                using var parallel = Parallel(-1, new OrleansBackend(cluster.Client));
                return parallel.Run(Enumerable.Range(0, 10).Select(i => Delayed(Nap, i)));
            }
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    [Fact]
    public async Task Run_ResultTooLargeForAMessage_FailsByNameAndHarmsNobody()
    {
        await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 2, "--workers", "processes");
        await using var cluster = await silos.ConnectAsync();
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client), maxNbytes: MaxNbytes.Never, batchSize: 1);
        var thrown = Assert.IsType<JoblibException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(() => new byte[i == 3 ? JoblibProtocol.MostPayloadBytes : 1])))));
        Assert.EndsWith("payload-too-large", thrown.HelpLink);
        Assert.Contains("results of 1 calls from call 3", thrown.Message, StringComparison.Ordinal);
        Assert.Equal([1, 1], Patience.Within(() => parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => new byte[1])))).Select(bytes => bytes.Length));
    }

    [Fact]
    public async Task Run_WorkersDieOnce_EveryResultArrives()
    {
        await using var silos = await SiloCluster.StartAsync(silos: 2, slots: 1, "--workers", "processes");
        await using var cluster = await silos.ConnectAsync();
        using var meeting = new Rendezvous();
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client), batchSize: 10);
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 100).Select(i => Delayed(() =>
        {
            if (i % 25 == 3 && meeting.Add($"death {i}") == 1)
            {
                Crashes.Make(Crash.Kill);
            }

            return i * i;
        }))));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => i * i), results);
    }

    [Fact]
    public async Task Run_ThatAsksForProcesses_GetsThemOfTheSilo_AndTheyGoWithIt()
    {
        await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 2, "--idle-worker-timeout", "0");
        await using var cluster = await silos.ConnectAsync();
        int[] workers;
        using (var parallel = Parallel(-1, new OrleansBackend(cluster.Client), prefer: Prefer.Processes))
        {
            workers = [.. Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(_ => Delayed(() => Environment.ProcessId)))).Distinct()];
            Assert.All(workers, worker => Assert.Equal(silos.Silos[0].Id, Living.ParentOf(worker)));
        }

        Living.AwaitEnd(workers);
        using var threads = Parallel(-1, new OrleansBackend(cluster.Client));
        Assert.Equal([silos.Silos[0].Id], Patience.Within(() => threads.Run([Delayed(() => Environment.ProcessId)])));
    }

    [Fact]
    public async Task Run_AfterAnother_HasItsProcesses_UntilTheyHaveWaitedTooLong()
    {
        await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 1, "--workers", "processes", "--idle-worker-timeout", "2");
        await using var cluster = await silos.ConnectAsync();
        var workers = new List<int>();
        for (var time = 0; time < 3; time++)
        {
            using var parallel = Parallel(-1, new OrleansBackend(cluster.Client));
            workers.AddRange(Patience.Within(() => parallel.Run([Delayed(() => Environment.ProcessId)])));
        }

        // A machine that stands still for two seconds in between may start another.
        Assert.InRange(workers.Distinct().Count(), 1, 2);
        Living.AwaitEnd(workers);
        using var later = Parallel(-1, new OrleansBackend(cluster.Client));
        Assert.DoesNotContain(Patience.Within(() => later.Run([Delayed(() => Environment.ProcessId)]))[0], workers);
    }

    [Fact]
    public async Task Run_ThatAsksForProcesses_OnALocalCluster_GetsThemToo()
    {
        int[] workers;
        await using (var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2))
        {
            using var parallel = Parallel(-1, new OrleansBackend(cluster.Client), prefer: Prefer.Processes);
            workers = [.. Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(_ => Delayed(() => Environment.ProcessId)))).Distinct()];
            Assert.All(workers, worker => Assert.Equal(Environment.ProcessId, Living.ParentOf(worker)));
            await parallel.DisposeAsync();
        }

        Living.AwaitEnd(workers);
    }

    [Fact]
    public async Task Run_LoopOnTheClusterInsideACall_IsRefused()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1, cancellationToken: TestContext.Current.CancellationToken);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client), prefer: Prefer.Processes);
        var address = "localhost:1";
        var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(() =>
        {
            Environment.SetEnvironmentVariable("JOBLIB_ORLEANS_CLUSTER", address);
            return Parallel(2, "orleans").Run([Delayed(() => 1)])[0];
        })]));
        Assert.EndsWith("#cluster-loop-in-process", Assert.IsType<JoblibException>(thrown).HelpLink, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("terminate")]
    [InlineData("kill")]
    public async Task Workers_GoWithTheirRunAndTheirSilo(string end)
    {
        await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 2, "--workers", "processes", "--drain-timeout", "0");
        await using var cluster = await silos.ConnectAsync();
        using var meeting = new Rendezvous();
        using var cancel = new CancellationTokenSource();
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client), batchSize: 1);
        var running = parallel.RunAsync(Enumerable.Range(0, 2).Select(_ => Delayed(() =>
        {
            meeting.Note("started", Environment.ProcessId);
            Thread.Sleep(Timeout.Infinite);
            return 0;
        })), cancel.Token);
        Patience.Until(() => meeting.Noted("started").Length == 2, "both calls to start");
        int[] workers = [.. meeting.Noted("started").Select(int.Parse)];
        switch (end)
        {
            case "cancel":
                await cancel.CancelAsync();
                break;
            case "terminate":
                silos.Silos[0].Terminate();
                break;
            case "kill":
                await silos.Silos[0].KillAsync();
                break;
        }

        Living.AwaitEnd(workers);
        if (end == "cancel")
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
            Assert.False(silos.Silos[0].HasExited, silos.Silos[0].Output);
        }
        else
        {
            if (end == "terminate")
            {
                Assert.Equal(0, await silos.Silos[0].ExitAsync());
            }

            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => running);
        }
    }

    [Fact]
    public async Task Run_WhoseLeaseEnds_LeavesNoWorker()
    {
        await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 1, "--workers", "processes", "--idle-worker-timeout", "0");
        using var client = await LoopClientProcess.StartAsync(silos.Address, TimeSpan.FromSeconds(1), floods: true);
        Patience.Until(() => Living.ChildrenOf(silos.Silos[0].Id).Any(), "a worker process");
        await client.KillAsync();
        Patience.Until(() => !Living.ChildrenOf(silos.Silos[0].Id).Any(), "the run's lease to end, with its workers");
        Assert.False(silos.Silos[0].HasExited, silos.Silos[0].Output);
    }

    internal static int CrashAt(int i, int at, Crash crash) => i == at ? Crashes.Make(crash) + i : i;

    internal static int Nap(int i)
    {
        Thread.Sleep(10);
        return i;
    }
}
