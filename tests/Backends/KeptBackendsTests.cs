using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Workers between runs. Every test has a folder name of its own in its settings, so that no other test takes its backends over.</summary>
public sealed class KeptBackendsTests
{
    private readonly string _folder = Guid.NewGuid().ToString();
    private readonly ScriptedBackend _backend = new();

    [Fact]
    public void Run_UsingBlock_KeepsItsThreadsAndDisposeEndsThem()
    {
        Thread[] first;
        using (var parallel = Parallel(2, "threading", tempFolder: _folder, batchSize: 1))
        {
            first = TwoWorkers(parallel);
            Assert.Equal(first, TwoWorkers(parallel));
            Assert.Equal(first, TwoWorkers(parallel));
        }

        Assert.All(first, worker => Assert.True(worker.Join(Patience.Limit)));
    }

    [Fact]
    public void Run_AnotherInstanceWithEqualSettings_TakesTheWorkersOver()
    {
        var first = Parallel(2, "threading", tempFolder: _folder, batchSize: 1);
        var workers = TwoWorkers(first);
        using var second = Parallel(2, "threading", tempFolder: _folder, batchSize: 1, verbose: 0, preDispatch: 7);
        Assert.Equal(workers, TwoWorkers(second));

        // The first instance's are gone: it gets new ones, and its end leaves the second's alone.
        second.Run(TwoCalls());
        first.Dispose();
        Assert.Equal(workers, TwoWorkers(second));
    }

    [Fact]
    public void Run_OtherSettings_GetsWorkersOfItsOwn()
    {
        using var first = Parallel(2, "threading", tempFolder: _folder, batchSize: 1);
        var workers = TwoWorkers(first);
        using var more = Parallel(3, "threading", tempFolder: _folder, batchSize: 1);
        Assert.Empty(workers.Intersect(TwoWorkers(more)));
        using var other = Parallel(2, "threading", tempFolder: _folder + "other", batchSize: 1);
        Assert.Empty(workers.Intersect(TwoWorkers(other)));
        Assert.Equal(workers, TwoWorkers(first));
    }

    [Fact]
    public void Run_Failed_ReplacesTheWorkersThatAreBusy()
    {
        using var release = new ManualResetEventSlim();
        using var stuck = new ManualResetEventSlim();
        using var parallel = Parallel(2, "threading", tempFolder: _folder, batchSize: 1);
        Thread? lost = null;
        try
        {
            Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(
            [
                Delayed(() =>
                {
                    lost = Thread.CurrentThread;
                    stuck.Set();
                    Patience.Await(release, "the test");
                    return 1;
                }),
                Delayed(() =>
                {
                    Patience.Await(stuck, "the other call");
                    return ThrowForUser();
                }),
            ])));
            Assert.DoesNotContain(lost, TwoWorkers(parallel));
        }
        finally
        {
            release.Set();
        }

        Assert.True(lost!.Join(Patience.Limit));
    }

    [Fact]
    public async Task Run_InstanceIsForgotten_WorkersEndAfterTheLease()
    {
        var terminated = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _backend.Terminating = () =>
        {
            terminated.SetResult();
            return ValueTask.CompletedTask;
        };
        Assert.Equal([1], Parallel(2, _backend, tempFolder: _folder).Run([Delayed(() => 1)]));
        Assert.False(terminated.Task.IsCompleted);
        await terminated.Task.WaitAsync(Patience.Limit);
        Assert.Equal("Configure Start Submit1 Stop Terminate", _backend.Events);
    }

    // Before the fix each of them kept its threads for 5 s: a few thousand such loops a second ended in out-of-memory.
    [Fact]
    public void Run_ManyLoopsEachWithABackendOfItsOwn_FewKeepTheirThreads()
    {
        var backends = new List<ThreadingBackend>();
        for (var i = 0; i < 50; i++)
        {
            var backend = new ThreadingBackend();
            backends.Add(backend);
            Assert.Equal([1, 2], Parallel(2, backend, tempFolder: _folder).Run(TwoCalls()));
            Assert.NotNull(backend.Pool);
            Assert.InRange(backends.Count(b => b.Pool is not null), 1, KeptBackends.MostAlike);
        }
    }

    [Fact]
    public void Run_AsManyLoopsWithABackendOfTheirOwnAsAreKept_KeepTheirThreads()
    {
        var loops = Enumerable.Range(0, KeptBackends.MostAlike).Select(_ => Parallel(2, new ThreadingBackend(), tempFolder: _folder, batchSize: 1)).ToArray();
        var workers = loops.Select(TwoWorkers).ToArray();
        Assert.Equal(workers, loops.Select(TwoWorkers));
        Assert.All(loops, loop => loop.Dispose());
    }

    // Before the fix the second run was refused: the object served another loop, which had ended long ago.
    [Fact]
    public async Task Run_WhileTheBackendObjectEndsItsIdleWorkers_WaitsForThat()
    {
        var terminating = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var terminated = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _backend.Terminating = () =>
        {
            terminating.TrySetResult();
            return new ValueTask(terminated.Task);
        };
        var first = Parallel(2, _backend, tempFolder: _folder);
        Assert.Equal([1, 2], first.Run(TwoCalls()));
        var disposing = first.DisposeAsync();
        await terminating.Task.WaitAsync(Patience.Limit);
        using var second = Parallel(2, _backend, tempFolder: _folder);
        var running = second.RunAsync(TwoCalls());
        terminated.SetResult();
        Assert.Equal(new[] { 1, 2 }, await running.WaitAsync(Patience.Limit));
        await disposing;
        _backend.Terminating = null;
    }

    // The same after a run whose backend could not be aborted in time, and is not used again as it is.
    [Fact]
    public async Task Run_WhileTheBackendObjectEndsAfterASlowAbort_WaitsForThat()
    {
        var never = new TaskCompletionSource();
        var terminated = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _backend.Aborting = () => new ValueTask(never.Task);
        _backend.Terminating = () => new ValueTask(terminated.Task);
        using var parallel = Parallel(2, _backend, tempFolder: _folder);
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run([Delayed(ThrowForUser)])));
        var running = parallel.RunAsync(TwoCalls());
        terminated.SetResult();
        Assert.Equal(new[] { 1, 2 }, await running.WaitAsync(Patience.Limit));
        never.SetResult();
        _backend.Terminating = null;
    }

    [Fact]
    public async Task Run_CancelledWhileTheBackendObjectEnds_Throws()
    {
        var terminated = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _backend.Terminating = () => new ValueTask(terminated.Task);
        var first = Parallel(2, _backend, tempFolder: _folder);
        Assert.Equal([1, 2], first.Run(TwoCalls()));
        var disposing = first.DisposeAsync();
        using var cancelling = new CancellationTokenSource();
        using var second = Parallel(2, _backend, tempFolder: _folder);
        var running = second.RunAsync(TwoCalls(), cancelling.Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience.Limit));
        terminated.SetResult();
        await disposing;
        Assert.Equal(new[] { 1, 2 }, await second.RunAsync(TwoCalls()).WaitAsync(Patience.Limit));
        _backend.Terminating = null;
    }

    [Fact]
    public void Run_ResultsOfAKeptBackend_AreNotHeld()
    {
        using var parallel = Parallel(2, "threading", tempFolder: _folder);
        var results = RunForgetting(parallel);
        Patience.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !results.TryGetTarget(out _);
            },
            "the results of the last run to be collected");
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference<object[]> RunForgetting(JoblibParallel parallel) =>
        new(parallel.Run(Enumerable.Range(0, 100).Select(_ => Delayed(() => new object()))));

    private static int ThrowForUser() => throw new UserException(1, []);

    private static IEnumerable<Delayed<int>> TwoCalls() => [Delayed(() => 1), Delayed(() => 2)];

    /// <summary>The two threads that make two calls at once, in the order of their ids.</summary>
    private static Thread[] TwoWorkers(JoblibParallel parallel)
    {
        using var both = new Barrier(2);
        var workers = Patience.Within(() => parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() =>
        {
            Assert.True(both.SignalAndWait(Patience.Limit));
            return Thread.CurrentThread;
        }))));
        return [.. workers.OrderBy(worker => worker.ManagedThreadId)];
    }
}
