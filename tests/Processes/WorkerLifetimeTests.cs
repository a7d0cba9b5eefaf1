using Microsoft.Extensions.Logging;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>How long workers live, and who gets them. The pool of "loky" is the process's: these tests run alone.</summary>
[Collection(ProcessWideCollection.Name)]
public sealed class WorkerLifetimeTests
{
    private static int _loaded;

    [Fact]
    public void Run_AnotherLoopOfLoky_HasTheSameWorkers()
    {
        int[] first;
        using (var parallel = Parallel(2, "loky", batchSize: 1))
        {
            first = Workers(parallel);
            Assert.Equal(first, Workers(parallel));
        }

        using var other = Parallel(2, "loky", batchSize: 1);
        Assert.Equal(first, Workers(other));
        Assert.DoesNotContain(Environment.ProcessId, first);
    }

    [Fact]
    public void Run_MoreAndFewerJobsOfLoky_GrowsAndShrinksThePool()
    {
        using (ParallelConfig("loky", innerMaxNumThreads: 1))
        {
            using (var two = Parallel(2, batchSize: 1))
            {
                var first = Workers(two);
                using (var four = Parallel(4, batchSize: 1))
                {
                    Assert.Subset(Workers(four, 4).ToHashSet(), first.ToHashSet());
                }
            }

            using var again = Parallel(2, batchSize: 1);
            var left = Workers(again);
            Patience.Until(() => ReusablePool.ProcessIds.Count == 2, "the pool to shrink");
            Assert.Equal(left.Order(), ReusablePool.ProcessIds.Order());
        }
    }

    [Fact]
    public void Run_TwoLoopsOfLokyAtOnce_ShareTheWorkers()
    {
        using var first = Parallel(2, "loky", batchSize: 1);
        using var second = Parallel(2, "loky", batchSize: 1);
        var workers = Workers(first);
        var both = Task.WhenAll(first.RunAsync(Sleepers(40)), second.RunAsync(Sleepers(40)));
        Assert.Subset(workers.ToHashSet(), Patience.Await(both, "two loops").SelectMany(pids => pids).ToHashSet());
    }

    [Fact]
    public void Run_LoopOfLokyAlikeToOneThatRuns_HasItsWorkers_ThoughAnotherReplacedThePoolMeanwhile()
    {
        using var meeting = new Rendezvous();
        using var first = Parallel(2, "loky", batchSize: 1);
        var workers = Workers(first);
        var running = Task.Run(() => first.Run([Delayed(() =>
        {
            meeting.Set("started");
            meeting.Await("release", "the other loops to end");
            return Environment.ProcessId;
        })]));
        meeting.Await("started", "the first loop to hold the pool");
        using var other = Parallel(2, "loky", batchSize: 1, backendOptions: new LokyBackendOptions { Initializer = Load, InitArgs = [21] });
        Assert.Empty(Workers(other).Intersect(workers));
        using var alike = Parallel(2, "loky", batchSize: 1);
        Assert.Subset(workers.ToHashSet(), Patience.Within(() => alike.Run(Sleepers(20))).ToHashSet());
        meeting.Set("release");
        Assert.Subset(workers.ToHashSet(), Patience.Await(running, "the first loop").ToHashSet());
        Assert.Equal(workers, Workers(alike));
    }

    [Fact]
    public void Run_LoopOfLokyWithFewerJobsWhileALargerOneEnds_HasNoMoreWorkersThanItsJobs()
    {
        using var meeting = new Rendezvous();
        using var config = ParallelConfig("loky", innerMaxNumThreads: 1);
        int[] four;
        using var two = Parallel(2, batchSize: 1);
        using (var large = Parallel(4, batchSize: 1))
        {
            four = Workers(large, 4);

            // The smaller loop comes while all four are busy: none of them can go then.
            var busy = Task.Run(() => large.Run(Enumerable.Range(0, 4).Select(_ => Delayed(() =>
            {
                meeting.Add("busy");
                meeting.Await("release", "the smaller loop to come");
                return 0;
            }))));
            Patience.Until(() => meeting.Count("busy") == 4, "all workers to be busy");
            var coming = Task.Run(() => two.Run([Delayed(() => 1)]));
            meeting.Set("release");
            Patience.Await(busy, "the larger loop");
            Assert.Equal([1], Patience.Await(coming, "the smaller loop"));
        }

        var left = Workers(two);
        Assert.Equal(left, ReusablePool.ProcessIds.Order());
        Assert.Subset(four.ToHashSet(), left.ToHashSet());
        Living.AwaitEnd(four.Except(left));
    }

    [Fact]
    public void Run_LoopsOfMultiprocessing_HaveWorkersOfTheirOwnThatEndWithThem()
    {
        using var first = Parallel(2, "multiprocessing", batchSize: 1);
        int[] workers;
        using (var second = Parallel(2, "multiprocessing", batchSize: 1))
        {
            workers = Workers(second);
            Assert.Empty(workers.Intersect(Workers(first)));
        }

        Living.AwaitEnd(workers);
        Assert.All(Workers(first), worker => Assert.True(Living.IsAlive(worker)));
    }

    [Fact]
    public void Run_InitializerOfLoky_IsCalledOncePerWorkerAndDecidesWhoIsReused()
    {
        int[] first;
        using (var parallel = Parallel(2, "loky", batchSize: 1, backendOptions: With(7)))
        {
            first = Workers(parallel);
            Assert.All(Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(i => Delayed(() => _loaded)))), loaded => Assert.Equal(7, loaded));
        }

        using (var same = Parallel(2, "loky", batchSize: 1, backendOptions: With(7)))
        {
            Assert.Equal(first, Workers(same));
        }

        using var other = Parallel(2, "loky", batchSize: 1, backendOptions: With(8));
        Assert.Empty(Workers(other).Intersect(first));
        Assert.All(Patience.Within(() => other.Run(Enumerable.Range(0, 20).Select(i => Delayed(() => _loaded)))), loaded => Assert.Equal(8, loaded));
        Living.AwaitEnd(first);
        Assert.Equal(0, _loaded);

        static LokyBackendOptions With(int number) => new() { Initializer = Load, InitArgs = [number] };
    }

    [Theory]
    [InlineData("loky")]
    [InlineData("multiprocessing")]
    public void Run_InitializerThrows_FailsWithItsExceptionAndTheNextLoopWorks(string backend)
    {
        using (var parallel = Parallel(2, backend, backendOptions: Options(backend, () => throw new UserException(3, ["initializer"]))))
        {
            var thrown = Assert.IsType<JoblibException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 5).Select(i => Delayed(() => i)))));
            Assert.EndsWith("#initializer-failed", thrown.HelpLink, StringComparison.Ordinal);
            Assert.Equal(3, Assert.IsType<UserException>(thrown.InnerException).Code);
        }

        using (var parallel = Parallel(2, backend, backendOptions: Options(backend, () => Crashes.Make(Crash.Exit))))
        {
            var thrown = Assert.IsType<JoblibException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 5).Select(i => Delayed(() => i)))));
            Assert.Contains("exit code 7", thrown.Message, StringComparison.Ordinal);
        }

        using var next = Parallel(2, backend);
        Assert.Equal(Enumerable.Range(0, 5), Patience.Within(() => next.Run(Enumerable.Range(0, 5).Select(i => Delayed(() => i)))));
    }

    [Fact]
    public void Run_InitializerIsAsynchronous_IsAwaited()
    {
        async Task LoadSlowly(int number)
        {
            await Task.Delay(20);
            _loaded = number;
        }

        using var parallel = Parallel(2, "multiprocessing", backendOptions: new MultiprocessingBackendOptions { Initializer = LoadSlowly, InitArgs = [9] });
        Assert.Equal([9, 9], Patience.Within(() => parallel.Run(Enumerable.Range(0, 2).Select(i => Delayed(() => _loaded)))));
    }

    [Fact]
    public void Run_InitializerAndItsArgumentsDoNotFit_ThrowsBeforeAnyWork()
    {
        foreach (var options in (LokyBackendOptions[])[new() { Initializer = Load }, new() { Initializer = Load, InitArgs = ["7"] }, new() { Initializer = Load, InitArgs = [null] }, new() { InitArgs = [7] }])
        {
            using var parallel = Parallel(2, "loky", backendOptions: options);
            var sequence = new CountedSequence<int>(Enumerable.Range(0, 5).Select(i => Delayed(() => i)));
            Assert.IsType<ArgumentException>(Patience.ThrownBy(() => parallel.Run((IEnumerable<Delayed<int>>)sequence)));
            Assert.Equal(0, sequence.Taken);
        }
    }

    [Fact]
    public void Run_OptionsOfTheOtherBackend_ThrowsBeforeAnyWork()
    {
        using var loky = Parallel(2, "loky", backendOptions: new MultiprocessingBackendOptions());
        using var multiprocessing = Parallel(2, "multiprocessing", backendOptions: new LokyBackendOptions());
        Assert.IsType<ArgumentException>(Patience.ThrownBy(() => loky.Run([Delayed(() => 1)])));
        Assert.IsType<ArgumentException>(Patience.ThrownBy(() => multiprocessing.Run([Delayed(() => 1)])));
    }

    [Fact]
    public void Options_OutOfRange_Throw()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LokyBackendOptions { IdleWorkerTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new LokyBackendOptions { MaxMemoryGrowth = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new MultiprocessingBackendOptions { MaxTasksPerChild = 0 });
    }

    [Fact]
    public void IdleWorkerTimeout_Over_EndsTheWorkers()
    {
        var options = new LokyBackendOptions { IdleWorkerTimeout = TimeSpan.FromSeconds(1) };
        using var parallel = Parallel(2, "loky", batchSize: 1, backendOptions: options);
        var first = Workers(parallel);
        Living.AwaitEnd(first);
        Assert.Empty(Workers(parallel).Intersect(first));
    }

    [Fact]
    public void MaxTasksPerChild_ReplacesWorkers()
    {
        using var parallel = Parallel(2, "multiprocessing", batchSize: 1, backendOptions: new MultiprocessingBackendOptions { MaxTasksPerChild = 3 });
        var pids = Patience.Within(() => parallel.Run(Sleepers(20)));
        Assert.Equal(20, pids.Length);
        Assert.All(pids.GroupBy(pid => pid), group => Assert.InRange(group.Count(), 1, 3));
    }

    [Fact]
    public void MaxMemoryGrowth_Exceeded_ReplacesTheWorkerAndSaysWhich()
    {
        var options = new MultiprocessingBackendOptions { MaxMemoryGrowth = 20_000_000 };
        using var parallel = Parallel(2, "multiprocessing", batchSize: 1, backendOptions: options);
        var first = Workers(parallel);
        var pids = Patience.Within(() => parallel.Run(Enumerable.Range(0, 2).Select(i => Delayed(Leak))));
        Living.AwaitEnd(pids.Distinct());
        Assert.Subset(first.ToHashSet(), pids.ToHashSet());
        Assert.All(pids.Distinct(), pid => Assert.Equal(1, CapturedLog.Instance.Count(LogLevel.Warning, $"Worker process {pid} was replaced: it occupies")));
        Assert.Equal(20, Patience.Within(() => parallel.Run(Sleepers(20))).Length);
    }

    [Fact]
    public void Run_FarMoreJobsThanCores_Works()
    {
        int[] pids;
        using (var parallel = Parallel(256, "multiprocessing", batchSize: 1))
        {
            pids = Patience.Within(() => parallel.Run(Sleepers(600)));
        }

        Assert.Equal(600, pids.Length);
        Assert.InRange(pids.Distinct().Count(), 2, 256);
        Living.AwaitEnd(pids.Distinct());
    }

    [Fact]
    public void Run_LoopOfLokyInsideACallOfLoky_HasWorkersOfItsOwnThatEndWithItsProcess()
    {
        // An initializer that no other loop has: these workers are replaced by the next loop, and take theirs along.
        using (var parallel = Parallel(2, "loky", batchSize: 1, backendOptions: new LokyBackendOptions { Initializer = Load, InitArgs = [11] }))
        {
            var (outer, inner) = Patience.Within(() => parallel.Run([Delayed(() => (Environment.ProcessId, Parallel(2, "loky").Run(Sleepers(4))))]))[0];
            Assert.DoesNotContain(outer, inner);
            Assert.All(inner.Distinct(), worker => Assert.True(Living.IsAlive(worker)));
            System.Diagnostics.Process.GetProcessById(outer).Kill();
            Living.AwaitEnd(inner.Append(outer));
        }
    }

    [Fact]
    public void Run_CallOverrunsItsTimeout_ItsProcessIsKilledAndReplaced()
    {
        using var meeting = new Rendezvous();
        using var parallel = Parallel(2, "multiprocessing", batchSize: 1, timeout: TimeSpan.FromMilliseconds(200));
        var outcomes = Patience.Within(() => parallel.Run(
        [
            Delayed(SpinForEver, meeting).AsOutcome(),
            Delayed(() => 2).AsOutcome(),
        ]));
        Assert.IsType<TimeoutException>(outcomes[0].Exception);
        Assert.Equal(2, outcomes[1].Value);
        var stuck = int.Parse(Assert.Single(meeting.Noted("stuck")));
        Living.AwaitEnd(stuck);
        Assert.DoesNotContain(stuck, Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => Environment.ProcessId)))));
        Patience.Until(() => !Living.Zombies().Any(), "no zombie to be left");
    }

    /// <summary>The processes of a loop's workers, in order: as many calls as workers, which wait for each other.</summary>
    private static int[] Workers(JoblibParallel parallel, int count = 2)
    {
        using var meeting = new Rendezvous();
        return [.. Patience.Within(() => parallel.Run(Enumerable.Range(0, count).Select(i => Delayed(() =>
        {
            meeting.Meet("workers", count, "all workers to be in a call");
            return Environment.ProcessId;
        })))).Order()];
    }

    private static IEnumerable<Delayed<int>> Sleepers(int count) => Enumerable.Range(0, count).Select(i => Delayed(() =>
    {
        Thread.Sleep(2);
        return Environment.ProcessId;
    }));

    private static ProcessBackendOptions Options(string backend, Action initializer) =>
        backend == "loky" ? new LokyBackendOptions { Initializer = initializer } : new MultiprocessingBackendOptions { Initializer = initializer };

    private static void Load(int number) => _loaded = number;

    private static int SpinForEver(Rendezvous meeting)
    {
        meeting.Note("stuck", Environment.ProcessId);
        while (true)
        {
        }
    }

    private static int Leak()
    {
        Leaked.Keep(80_000_000);

        // Workers are looked at once a second, after a batch.
        Thread.Sleep(1100);
        return Environment.ProcessId;
    }
}
