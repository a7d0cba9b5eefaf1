using System.Text.Json.Nodes;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Hosting;

/// <summary>What autoscalers read: any silo answers for the cluster.</summary>
public sealed class ClusterLoadTests
{
    [Fact]
    public async Task Load_IdleThenBusyThenASiloThatGoes_SaysBatchesPerSlotOfTheCluster()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 2, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        using var http = new HttpClient();
        Assert.Equal("""{"silos":2,"slots":4,"busy":0,"queued":0,"batchesPerSlot":0}""", await AskAsync(http, cluster.Silos[0]));

        using var meeting = new Rendezvous();
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1, preDispatch: "all");
        var run = parallel.RunAsync(
            Enumerable.Range(0, 20).Select(i => Delayed(() =>
            {
                meeting.Await("go", "the test to let calls end");
                return i;
            })),
            TestContext.Current.CancellationToken);
        await UntilAsync(async () => await AskAsync(http, cluster.Silos[1]) == """{"silos":2,"slots":4,"busy":4,"queued":4,"batchesPerSlot":2}""");

        // What it executes is not the others' to make room for.
        cluster.Silos[0].Terminate();
        await UntilAsync(async () => JsonNode.Parse(await AskAsync(http, cluster.Silos[1]))!["slots"]!.GetValue<int>() == 2);
        meeting.Set("go");
        Assert.Equal(Enumerable.Range(0, 20), await run.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));
    }

    private static Task<string> AskAsync(HttpClient http, SiloProcess silo) => http.GetStringAsync(new Uri(silo.Health, "/load"), TestContext.Current.CancellationToken);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience.Limit);
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
