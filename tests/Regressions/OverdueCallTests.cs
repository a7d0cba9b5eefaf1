using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class OverdueCallTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // Before the fix the call's place was read again once its token's callbacks had run, and a worker that obeyed the token had left the call by then:
    // nobody gave the call up, and the run hung.
    [Fact]
    public async Task RunAsync_CallObeysItsTokenWhileItIsGivenUp_ThrowsTimeout()
    {
        using var parallel = Parallel(nJobs: 2, timeout: Timeout);
        using var workerIsFree = new ManualResetEventSlim();
        var run = parallel.RunAsync(
        [
            Delayed(token =>
            {
                token.Register(() => workerIsFree.Wait(Patience, CancellationToken.None));
                token.WaitHandle.WaitOne();
            }),
            Delayed(() => { }),
        ]);
        await Task.WhenAny(run, Task.Delay(4 * Timeout, TestContext.Current.CancellationToken));
        workerIsFree.Set();
        await Ends(run);
        await Assert.ThrowsAsync<TimeoutException>(() => run);
    }

    // Before the fix the callback's exception left a timer's thread, which ends the process.
    [Fact]
    public async Task RunAsync_TokenCallbackOfOverdueCallThrows_ThrowsTimeout()
    {
        using var parallel = Parallel(nJobs: 2, timeout: Timeout);
        using var ended = new ManualResetEventSlim();
        var run = parallel.RunAsync(
        [
            Delayed(token =>
            {
                token.Register(() => throw new FormatException("from a callback"));
                ended.Wait(Patience, CancellationToken.None);
            }),
            Delayed(() => { }),
        ]);
        await Ends(run);
        ended.Set();
        await Assert.ThrowsAsync<TimeoutException>(() => run);
    }

    // Before the fix it named the thread that had noticed.
    [Fact]
    public async Task RunAsync_CallOverruns_FailureNamesItsWorker()
    {
        using var parallel = Parallel(nJobs: 2, timeout: Timeout);
        var run = parallel.RunAsync([Delayed(token => token.WaitHandle.WaitOne(Patience)), Delayed(() => true)]);
        await Ends(run);
        var thrown = await Assert.ThrowsAsync<TimeoutException>(() => run);
        Assert.Contains("/joblib-threading-", thrown.GetCallFailure()!.Worker, StringComparison.Ordinal);
    }

    private static async Task Ends(Task run) =>
        Assert.Same(run, await Task.WhenAny(run, Task.Delay(Patience, TestContext.Current.CancellationToken)));
}
