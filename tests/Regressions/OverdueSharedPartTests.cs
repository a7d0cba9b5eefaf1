using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>A call that overruns in the half of a batch that another worker took over.</summary>
public sealed class OverdueSharedPartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // Before the fix the silo was told of no worker to give up: the slot was lost until the call ended.
    [Theory]
    [InlineData("threading")]
    [InlineData("orleans")]
    public async Task RunAsync_CallOfASharedPartOverruns_ItsWorkerIsReplaced(string where)
    {
        await using var cluster = where == "orleans" ? await LocalCluster.StartAsync(slotsPerSilo: 2, cancellationToken: TestContext.Current.CancellationToken) : null;
        ParallelBackend backend = cluster is null ? new ThreadingBackend() : new OrleansBackend(cluster.Client);
        using var hangs = new ManualResetEventSlim();
        using var together = new Barrier(2);
        var calls = new List<Delayed<CallOutcome<bool>>>();

        // The first batch: quick to look at its clock, long enough to be shared, and a call that hangs in the half that goes.
        for (var i = 0; i < 8; i++)
        {
            var hanging = i == 6;
            calls.Add(Delayed(() => hanging ? hangs.Wait(Patience, CancellationToken.None) : !hangs.Wait(TimeSpan.FromMilliseconds(5), CancellationToken.None)).AsOutcome());
        }

        // The second batch: nothing, so that its worker is idle soon.
        calls.AddRange(Enumerable.Repeat(Delayed(() => true).AsOutcome(), 8));

        // Then calls that need both workers at once.
        async IAsyncEnumerable<Delayed<CallOutcome<bool>>> All()
        {
            foreach (var call in calls)
            {
                yield return call;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            for (var i = 0; i < 16; i++)
            {
                var meets = i is 0 or 8;
                yield return Delayed(() => !meets || together.SignalAndWait(TimeSpan.FromMilliseconds(350))).AsOutcome();
            }
        }

        using var parallel = Parallel(nJobs: 2, backend: backend, batchSize: 8, preDispatch: 16, timeout: TimeSpan.FromMilliseconds(400));
        var outcomes = await parallel.RunAsync(All(), TestContext.Current.CancellationToken);
        hangs.Set();
        Assert.IsType<TimeoutException>(outcomes[6].Exception);
        Assert.All(outcomes.Where((_, i) => i != 6), outcome => Assert.True(outcome.Value));
    }
}
