using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Cli;

public sealed class DrainCommandTests
{
    [Fact]
    public async Task Drain_SiloInTheMiddleOfALoop_GoesAndNoResultIsLost()
    {
        const int Count = 300;
        await using var cluster = await SiloCluster.StartAsync(2);
        await using var connection = await cluster.ConnectAsync();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var loop = Task.Run(async () =>
        {
            var results = new List<int>();
            await foreach (var result in Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1).StreamAsync(Enumerable.Range(0, Count).Select(i => Delayed(Slow, i))))
            {
                results.Add(result);
                begun.TrySetResult();
            }

            return results;
        });
        await begun.Task.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);

        var silo = cluster.Silos[0];
        var drained = (await CliProcess.RunAsync("drain", silo.Address.Endpoint.ToString(), "--json", "--cluster", cluster.Address)).Exited(0).Json;
        Assert.Equal(silo.Address.ToParsableString(), drained.GetProperty("silo").GetString());
        Assert.True(drained.GetProperty("stops").GetBoolean());
        Assert.True(drained.GetProperty("drained").GetBoolean());
        Assert.Equal(0, await silo.ExitAsync());
        Assert.Equal(Enumerable.Range(0, Count), await loop.WaitAsync(2 * Patience.Limit, TestContext.Current.CancellationToken));

        var status = (await CliProcess.RunAsync("status", "--json", "--cluster", cluster.Address)).Exited(0).Json;
        Assert.Equal(cluster.Silos[1].Address.ToParsableString(), Assert.Single(status.GetProperty("silos").EnumerateArray()).GetProperty("silo").GetString());
        Assert.Contains("has no silo", (await CliProcess.RunAsync("drain", silo.Address.Endpoint.ToString(), "--cluster", cluster.Address)).Exited(1).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_HostOfAnotherProgram_StaysAndTakesNoWork()
    {
        await using var guest = await GuestSilo.StartAsync();
        var silo = $"127.0.0.1:{guest.SiloPort}";
        var drained = (await CliProcess.RunAsync("drain", silo, "--json", "--cluster", guest.Cluster)).Exited(0).Json;
        Assert.False(drained.GetProperty("stops").GetBoolean());
        Assert.True(drained.GetProperty("drained").GetBoolean());

        // Again: it changes nothing.
        (await CliProcess.RunAsync("drain", silo, "--cluster", guest.Cluster)).Exited(0);
        var status = (await CliProcess.RunAsync("status", "--json", "--cluster", guest.Cluster)).Exited(0).Json;
        Assert.Equal("draining", Assert.Single(status.GetProperty("silos").EnumerateArray()).GetProperty("state").GetString());
        Assert.Contains("has no slots", (await CliProcess.RunAsync("bench", "--cluster", guest.Cluster)).Exited(1).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_OrchestratorTerminatesTheSiloThen_ItsCallEndsAllTheSame()
    {
        await using var cluster = await SiloCluster.StartAsync(1);
        await using var connection = await cluster.ConnectAsync();
        using var meeting = new Rendezvous();
        var result = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client)).Run([Delayed(() =>
        {
            meeting.Set("started");
            meeting.Await("go", "the test to let the call end");
            return 42;
        })]));
        await meeting.AwaitAsync("started", "the call to start");
        var silo = cluster.Silos[0];
        (await CliProcess.RunAsync("drain", silo.Address.Endpoint.ToString(), "--timeout", "0", "--cluster", cluster.Address)).Exited(0);
        silo.Terminate();
        using var http = new HttpClient { BaseAddress = silo.Health };
        for (var looks = 0; looks < 100; looks++)
        {
            Assert.Equal("live\n", await http.GetStringAsync("healthz/live", TestContext.Current.CancellationToken));
        }

        meeting.Set("go");
        var values = await result.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        Assert.Equal([42], values);
        Assert.Equal(0, await silo.ExitAsync());
    }

    private static int Slow(int i)
    {
        Thread.Sleep(10);
        return i;
    }
}
