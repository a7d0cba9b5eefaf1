using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

[Collection(ProcessWideCollection.Name)]
public sealed class StreamLeftTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly WarningLog _log = new();

    // Before the fix a stream whose calls had all been made was left without a word, and a batch in the consumer's hands counted as unread.
    [Fact]
    public void Stream_LeftWhenAllCallsAreMade_WarnsOfTheResultsNobodyTook()
    {
        using var parallel = Parallel(nJobs: 2, preDispatch: "all", batchSize: 1);
        var stream = parallel.Stream(Enumerable.Range(0, 4).Select(i => Delayed(() => i)));
        SpinWait.SpinUntil(() => HasEnded(parallel), Patience);
        Assert.Equal([0], stream.Take(1));
        Assert.Contains("3 calls had been made whose results nobody took, 0 more were cancelled", Assert.Single(_log.Warnings), StringComparison.Ordinal);
    }

    // Before the fix a stream of just as many calls as may be unconsumed never learned that there were no more: the instance stayed busy until somebody read it.
    [Theory]
    [InlineData(8, null)]
    [InlineData(4, 4)]
    [InlineData(2, 2)]
    public void Stream_UnreadWithAsManyCallsAsItsBound_FreesTheInstanceAndCanStillBeRead(int calls, int? maxUnconsumed)
    {
        using var parallel = Parallel(nJobs: 2, batchSize: 1);
        var stream = parallel.Stream(Enumerable.Range(0, calls).Select(i => Delayed(() => i)), maxUnconsumed: maxUnconsumed);
        Assert.True(SpinWait.SpinUntil(() => HasEnded(parallel), Patience));
        parallel.Dispose();
        Assert.Equal(Enumerable.Range(0, calls), stream);
        Assert.Empty(_log.Warnings);
    }

    [Fact]
    public void Stream_ReadToItsEnd_DoesNotWarn()
    {
        using var parallel = Parallel(nJobs: 2);
        Assert.Equal(Enumerable.Range(0, 100), parallel.Stream(Enumerable.Range(0, 100).Select(i => Delayed(() => i))));
        Assert.Empty(_log.Warnings);
    }

    // Before the fix this said that a stream was left.
    [Fact]
    public async Task Dispose_RunInProgress_CancelsItAndNamesTheReason()
    {
        var parallel = Parallel(nJobs: 2);
        using var started = new ManualResetEventSlim();
        var run = parallel.RunAsync(Enumerable.Range(0, 2).Select(_ => Delayed(token =>
        {
            started.Set();
            token.WaitHandle.WaitOne(Patience);
        })), TestContext.Current.CancellationToken);
        started.Wait(Patience, TestContext.Current.CancellationToken);
        parallel.Dispose();
        Assert.Contains("disposed", (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run)).Message, StringComparison.Ordinal);
        Assert.Empty(_log.Warnings);
    }

    public void Dispose() => _log.Dispose();

    private static bool HasEnded(JoblibParallel parallel)
    {
        try
        {
            parallel.Run(Array.Empty<Delayed<int>>());
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
