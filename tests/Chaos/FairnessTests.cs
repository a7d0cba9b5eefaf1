using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Chaos;

/// <summary>Two clients on one cluster, one of which floods it.</summary>
public sealed class FairnessTests(ITestOutputHelper output)
{
    private const int SmallCalls = 200;
    private const int FloodCalls = 20_000;

    [Fact]
    public async Task Run_AnotherClientFloods_GetsItsShareAndSurvivesTheOthersAbort()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 2, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        await using var floodConnection = await cluster.ConnectAsync();
        using var abort = new CancellationTokenSource();
        var flooded = new Counted(40);
        using var flood = Parallel(nJobs: -1, backend: new OrleansBackend(floodConnection.Client), batchSize: 1, preDispatch: "all", progress: flooded);
        var flooding = flood.RunAsync(Enumerable.Range(0, FloodCalls).Select(i => Delayed(Step, i)), abort.Token);
        await flooded.Reached.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);

        var before = flooded.Completed;
        await CheckSmallLoopAsync(connection, new Counted(0));
        var meanwhile = flooded.Completed - before;
        output.WriteLine($"{meanwhile} calls of the flood ended while the {SmallCalls} of the small loop did.");
        Assert.False(flooding.IsCompleted);

        // A fair share is about as many; in the order of arrival it would be all that waits.
        Assert.InRange(meanwhile, 1, SmallCalls * 5);

        var small = new Counted(SmallCalls / 4);
        var loop = CheckSmallLoopAsync(connection, small);
        await small.Reached.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        await abort.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flooding.WaitAsync(Patience.Limit));
        await loop;
    }

    [Fact]
    public async Task Run_AnotherClientFloodsAndIsKilled_GivesItsResults()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 2, slots: 2);
        await using var connection = await cluster.ConnectAsync();
        using var flooder = await LoopClientProcess.StartAsync(cluster.Address, TimeSpan.FromSeconds(5), floods: true);
        await CheckSmallLoopAsync(connection, new Counted(0));
        Assert.False(flooder.HasExited, flooder.Output);

        var small = new Counted(SmallCalls / 4);
        var loop = CheckSmallLoopAsync(connection, small);
        await small.Reached.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        await flooder.KillAsync();
        await loop;
        await CheckSmallLoopAsync(connection, new Counted(0));
    }

    private static async Task CheckSmallLoopAsync(JoblibCluster connection, Counted progress)
    {
        using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), progress: progress);
        var results = await parallel.RunAsync(Enumerable.Range(0, SmallCalls).Select(i => Delayed(Step, i))).WaitAsync(Patience.Limit);
        Assert.Equal(Enumerable.Range(0, SmallCalls), results);
    }

    private static int Step(int i)
    {
        Thread.Sleep(8);
        return i;
    }

    private sealed class Counted(long calls) : IProgress<RunProgress>
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _completed;

        internal Task Reached => _reached.Task;

        internal long Completed => Volatile.Read(ref _completed);

        public void Report(RunProgress value)
        {
            Volatile.Write(ref _completed, value.Completed);
            if (value.Completed >= calls)
            {
                _reached.TrySetResult();
            }
        }
    }
}
