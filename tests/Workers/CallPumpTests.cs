using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Asynchronous calls on a worker: where they continue, and that waiting for a task in them does not hang.</summary>
public sealed class CallPumpTests
{
    [Fact]
    public void Run_ContinuationWhileTheWorkerWaits_RunsOnTheWorker()
    {
        var gate = new TaskCompletionSource();
        Thread? worker = null;
        async Task<bool> Call()
        {
            worker = Thread.CurrentThread;
            await gate.Task;
            return Thread.CurrentThread == worker;
        }

        var running = Task.Factory.StartNew(() => Invoke(Call), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Patience.Until(() => Volatile.Read(ref worker) is { } thread && thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), "the worker to wait for its call");
        gate.SetResult();
        Assert.True(Patience.Await(running, "the call to end"));
    }

    [Fact]
    public void Run_CallBlocksOnItsOwnAsynchronousWork_DoesNotHang()
    {
        static async Task<int> Inner()
        {
            await Task.Yield();
            return 42;
        }

        Assert.Equal(42, Patience.Within(() => Invoke(async () =>
        {
            // Sync over async, twice: before the first await, and in a continuation.
            var first = Inner().Result;
            await Task.Yield();
            return first == Inner().GetAwaiter().GetResult() ? first : -1;
        })));
    }

    [Fact]
    public void Run_TokenCancelledBeforeTheTaskEnds_FreesTheWorker()
    {
        using var cancelling = new CancellationTokenSource();
        var never = new TaskCompletionSource<int>();
        var call = Delayed(() => never.Task);
        cancelling.Cancel();
        Assert.IsAssignableFrom<OperationCanceledException>(Patience.ThrownBy(() => call.Invoke(cancelling.Token)));

        using var later = new CancellationTokenSource();
        var running = Task.Run(() => Patience.ThrownBy(() => Delayed(() => never.Task).Invoke(later.Token)));
        later.Cancel();
        Assert.IsAssignableFrom<OperationCanceledException>(Patience.Await(running, "the worker to be free"));
    }

    [Fact]
    public void Run_Any_LeavesTheThreadsSynchronizationContextAsItWas() => Patience.Within(() =>
    {
        var own = new SynchronizationContext();
        SynchronizationContext.SetSynchronizationContext(own);
        Invoke(async () => await Task.FromResult(1));
        Assert.Same(own, SynchronizationContext.Current);
        Assert.Throws<UserException>(() => Invoke<int>(() => throw new UserException(1, [])));
        Assert.Same(own, SynchronizationContext.Current);
    });

    [Fact]
    public void Run_ManyContinuationsFromManyThreads_AllRun()
    {
        Assert.Equal(2000, Patience.Within(() => Invoke(async () =>
        {
            var ended = 0;
            await Task.WhenAll(Enumerable.Range(0, 2000).Select(async i =>
            {
                await Task.Run(() => { });
                Interlocked.Increment(ref ended);
            }));
            return ended;
        })));
    }

    private static T Invoke<T>(Func<Task<T>> call) => Delayed(call).Invoke(CancellationToken.None);
}
