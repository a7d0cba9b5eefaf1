using System.Runtime.CompilerServices;
using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class WorkerPoolTests
{
    private readonly object _owner = new();

    [Fact]
    public void TrySubmit_MoreItemsThanWorkers_RunsSizeOfThemAtOnce()
    {
        using var pool = new WorkerPool(3, "tests");
        using var release = new ManualResetEventSlim();
        var items = Enumerable.Range(0, 7).Select(_ => new WorkItem(_owner, () => Patience.Await(release, "the test"))).ToArray();
        Assert.All(items, item => Assert.True(pool.TrySubmit(item)));
        Patience.Until(() => pool.BusyCount == 3, "three workers to be busy");
        Assert.Equal((3, 3, 4), (pool.Size, pool.ThreadCount, pool.QueuedCount));
        Assert.Equal(3, items.Count(item => item.Started.IsCompleted));
        Assert.All(items.Where(item => item.Worker is not null), item => Assert.True(item.Worker is { IsBackground: true, Name: not null }));
        release.Set();
        Assert.All(items, item => Patience.Await(item.Ended, "an item to end"));
        Patience.Until(() => pool.BusyCount == 0, "the workers to be idle");
        Assert.Equal((3, 0), (pool.ThreadCount, pool.QueuedCount));
    }

    [Fact]
    public void TrySubmit_OneItemAfterTheOther_StartsNoWorkerMoreThanItNeeds()
    {
        using var pool = new WorkerPool(4, "tests");
        for (var i = 0; i < 50; i++)
        {
            var item = new WorkItem(_owner);
            Assert.True(pool.TrySubmit(item));
            Patience.Await(item.Ended, "an item to end");
            Patience.Until(() => pool.BusyCount == 0, "the worker to be idle");
        }

        Assert.Equal(1, pool.ThreadCount);
    }

    [Fact]
    public void TrySubmit_TwoItemsWhileTheOnlyWorkerIsParked_RunAtOnce()
    {
        for (var time = 0; time < 20; time++)
        {
            using var pool = new WorkerPool(2, "tests");
            var first = new WorkItem(_owner);
            pool.TrySubmit(first);
            Patience.Until(() => pool.ParkedCount == 1, "the worker to park");

            // The second item comes before the woken worker has taken the first: it needs a worker of its own.
            using var both = new Barrier(2);
            WorkItem[] items = [.. Enumerable.Range(0, 2).Select(_ => new WorkItem(_owner, () => Assert.True(both.SignalAndWait(Patience.Limit), "The items did not run at once.")))];
            pool.TrySubmit(items[0]);
            pool.TrySubmit(items[1]);
            Assert.All(items, item => Patience.Await(item.Ended, "two items to meet"));
        }
    }

    [Fact]
    public void End_IdleAndBusyWorkers_EndsThemAndGivesBackWhatIsQueued()
    {
        var pool = new WorkerPool(2, "tests");
        using var release = new ManualResetEventSlim();
        var items = Enumerable.Range(0, 5).Select(_ => new WorkItem(_owner, () => Patience.Await(release, "the test"))).ToArray();
        Assert.All(items, item => pool.TrySubmit(item));
        Patience.Until(() => pool.BusyCount == 2, "two workers to be busy");
        Assert.Equal(items.Where(item => !item.Started.IsCompleted), pool.End());
        Assert.Empty(pool.End());
        Assert.False(pool.Ended.IsCompleted);
        Assert.False(pool.TrySubmit(new WorkItem(_owner)));
        release.Set();
        Patience.Await(pool.Ended, "all threads to end");
        Assert.Equal((0, 0, 2), (pool.ThreadCount, pool.QueuedCount, items.Count(item => item.Started.IsCompleted)));
    }

    [Fact]
    public void Dispose_ParkedWorkers_EndsThem()
    {
        var pool = new WorkerPool(3, "tests");
        using var all = new Barrier(3);
        var items = Enumerable.Range(0, 3).Select(_ => new WorkItem(_owner, () => all.SignalAndWait(Patience.Limit))).ToArray();
        Assert.All(items, item => pool.TrySubmit(item));
        var workers = items.Select(item => Patience.Await(item.Started, "a worker")).ToArray();
        Patience.Until(() => pool.ParkedCount == 3, "the workers to park");
        pool.Dispose();
        Patience.Await(pool.Ended, "all threads to end");
        Assert.All(workers, worker => Assert.True(worker.Join(Patience.Limit)));
    }

    [Fact]
    public void Dispose_NeverUsed_HasEnded()
    {
        var pool = new WorkerPool(2, "tests");
        pool.Dispose();
        Assert.True(pool.Ended.IsCompletedSuccessfully);
    }

    [Fact]
    public void RemoveQueued_SomeOfAnOwnersItems_TheOthersAreExecutedInTheirOrder()
    {
        using var pool = new WorkerPool(1, "tests");
        using var release = new ManualResetEventSlim();
        var order = new List<int>();
        var running = new WorkItem(_owner, () => Patience.Await(release, "the test"));
        pool.TrySubmit(running);
        Patience.Await(running.Started, "the worker to be busy");
        var items = Enumerable.Range(0, 6).Select(i => new WorkItem(_owner, () => order.Add(i))).ToArray();
        Assert.All(items, item => pool.TrySubmit(item));
        var removed = pool.RemoveQueued(_owner, item => Array.IndexOf(items, item) % 2 == 0);
        Assert.Equal([items[0], items[2], items[4]], removed);
        Assert.Equal(3, pool.QueuedCount);
        Assert.Empty(pool.RemoveQueued(_owner, _ => false));
        Assert.Empty(pool.RemoveQueued(new object(), _ => true));
        release.Set();
        Patience.Await(items[5].Ended, "the last item to end");
        Assert.Equal([1, 3, 5], order);
        Assert.Equal(0, pool.QueuedCount);
    }

    [Fact]
    public void Abandon_RunningItem_AnotherWorkerTakesItsPlace()
    {
        using var pool = new WorkerPool(1, "tests");
        using var release = new ManualResetEventSlim();
        var stuck = new WorkItem(_owner, () => Patience.Await(release, "the test"));
        var next = new WorkItem(_owner);
        pool.TrySubmit(stuck);
        var abandoned = Patience.Await(stuck.Started, "the stuck item to start");
        pool.TrySubmit(next);
        pool.Abandon(stuck);
        Patience.Await(next.Ended, "the next item");
        Assert.NotSame(abandoned, next.Worker);
        Assert.Equal(2, pool.ThreadCount);

        // The abandoned thread ends with its item and takes no other.
        release.Set();
        Assert.True(abandoned.Join(Patience.Limit));
        Assert.Equal(1, pool.ThreadCount);
        var last = new WorkItem(_owner);
        pool.TrySubmit(last);
        Assert.NotSame(abandoned, Patience.Await(last.Started, "another item"));
    }

    [Fact]
    public void Abandon_ItemThatIsNotRunning_DoesNothing()
    {
        using var pool = new WorkerPool(1, "tests");
        var ended = new WorkItem(_owner);
        pool.TrySubmit(ended);
        Patience.Await(ended.Ended, "an item to end");
        Patience.Until(() => pool.BusyCount == 0, "the worker to be idle");
        pool.Abandon(ended);
        pool.Abandon(new WorkItem(_owner));
        Assert.Equal(1, pool.ThreadCount);
        var next = new WorkItem(_owner);
        pool.TrySubmit(next);
        Assert.Same(ended.Worker, Patience.Await(next.Started, "the same worker"));
    }

    [Fact]
    public void Remove_Owner_TakesItsQueuedItemsAndGivesUpItsWorkers()
    {
        using var pool = new WorkerPool(2, "tests");
        using var release = new ManualResetEventSlim();
        var other = new object();
        var stuck = Enumerable.Range(0, 2).Select(_ => new WorkItem(_owner, () => Patience.Await(release, "the test"))).ToArray();
        var queued = Enumerable.Range(0, 3).Select(_ => new WorkItem(_owner)).ToArray();
        var others = Enumerable.Range(0, 3).Select(_ => new WorkItem(other)).ToArray();
        try
        {
            Assert.All(stuck, item => pool.TrySubmit(item));
            Patience.Until(() => pool.BusyCount == 2, "both workers to be stuck");
            Assert.All(queued.Concat(others), item => pool.TrySubmit(item));
            Assert.Equal(queued, pool.Remove(_owner));
            Assert.All(others, item => Patience.Await(item.Ended, "another owner's items"));
            Assert.All(queued, item => Assert.False(item.Started.IsCompleted));
            Assert.Empty(pool.Remove(_owner));
        }
        finally
        {
            release.Set();
        }
    }

    [Fact]
    public void Ended_OwnersItems_OwnerIsForgotten()
    {
        using var pool = new WorkerPool(2, "tests");
        var owners = SubmitForNewOwners(pool);
        Patience.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return owners.All(owner => !owner.TryGetTarget(out _));
            },
            "owners without work to be collected");
    }

    // The worker that has become one too many ends while the slot is lent out anew: what is queued then must not count on it.
    [Fact]
    public void ChangeCapacity_SlotLentAgainAndAgain_EveryInnerItemIsExecuted()
    {
        const int times = 50_000;
        using var pool = new WorkerPool(1, "tests");
        var inner = 0;
        using var ended = new SemaphoreSlim(0);
        var outer = new WorkItem(_owner, () =>
        {
            for (var time = 0; time < times; time++)
            {
                pool.ChangeCapacity(by: 1);
                Assert.True(pool.TrySubmit(new WorkItem(_owner, () =>
                {
                    inner++;
                    ended.Release();
                })));
                if (!ended.Wait(Patience.Limit / 2))
                {
                    return;
                }

                pool.ChangeCapacity(by: -1);

                // Sometimes the worker looks before the slot is lent again, sometimes after, and sometimes while it is.
                Thread.SpinWait(time % 500);
            }
        });
        pool.TrySubmit(outer);
        Patience.Await(outer.Ended, "the outer item to end");
        Assert.Equal(times, inner);
        Patience.Until(() => pool is { ThreadCount: 1, BusyCount: 0, QueuedCount: 0 }, "the workers too many to end");
    }

    [Fact]
    public void TrySubmit_OwnersWithLimits_EachIsHeldToItsOwnAndEveryItemIsExecuted()
    {
        const int Owners = 4, Items = 3000;
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var pool = new WorkerPool(5, "tests");
        var limits = Enumerable.Range(0, Owners).Select(owner => owner + 1).ToArray();
        var (now, most) = (new int[Owners], new int[Owners]);
        var executed = 0;
        using var ended = new CountdownEvent(Items);
        for (var i = 0; i < Items; i++)
        {
            var owner = random.Next(Owners);
            var spins = random.Next(2000);
            Assert.True(pool.TrySubmit(new WorkItem(limits, () => { }, 1)));
            Assert.True(pool.TrySubmit(new WorkItem(Keys[owner], () =>
            {
                var mine = Interlocked.Increment(ref now[owner]);
                InterlockedMax(ref most[owner], mine);
                Thread.SpinWait(spins);
                Interlocked.Decrement(ref now[owner]);
                Interlocked.Increment(ref executed);
                ended.Signal();
            },
            limits[owner])));
            if (i % 50 == 0)
            {
                Thread.Sleep(random.Next(3));
            }
        }

        Assert.True(ended.Wait(Patience.Limit), $"Only {executed} of {Items} items were executed.");
        Assert.All(Enumerable.Range(0, Owners), owner => Assert.InRange(most[owner], 1, limits[owner]));
        Patience.Until(() => pool is { BusyCount: 0, QueuedCount: 0 } && pool.IdleFor(_owner, 9) == 5, "the pool to be idle");
    }

    [Fact]
    public void End_OwnerMayHaveNoMoreInHand_GivesBackAllThatIsQueued()
    {
        using var release = new ManualResetEventSlim();
        var pool = new WorkerPool(2, "tests");
        var items = Enumerable.Range(0, 4).Select(_ => new WorkItem(_owner, () => release.Wait(Patience.Limit), 1)).ToArray();
        Assert.All(items, item => Assert.True(pool.TrySubmit(item)));
        Patience.Await(items[0].Started, "the first item to start");
        Assert.Equal(items[1..], pool.End());
        release.Set();
        Patience.Await(pool.Ended, "the pool to end");
    }

    [Fact]
    public void ChangeMostAtOnce_MoreAndLess_TheQueueFollows()
    {
        using var pool = new WorkerPool(4, "tests");
        using var release = new ManualResetEventSlim();
        var items = Enumerable.Range(0, 5).Select(_ => new WorkItem(_owner, () => release.Wait(Patience.Limit), 1)).ToArray();
        Assert.All(items, item => Assert.True(pool.TrySubmit(item)));
        Patience.Await(items[0].Started, "the first item to start");
        Assert.Equal((1, 4, 3, 0), (pool.BusyCount, pool.QueuedCount, pool.IdleFor(Keys[0], 9), pool.IdleFor(_owner, 5)));
        Assert.True(pool.WantsWork);
        pool.ChangeMostAtOnce(_owner, 3);
        Patience.Await(Task.WhenAll(items[1].Started, items[2].Started), "two more to start");
        Assert.Equal((3, 2, 1, 1, 0), (pool.BusyCount, pool.QueuedCount, pool.IdleFor(Keys[0], 9), pool.IdleFor(_owner, 6), pool.IdleFor(_owner, 5)));
        pool.ChangeMostAtOnce(_owner, 1);

        // One that nobody waits for any more makes no room while there are too many.
        pool.Abandon(items[0]);
        Assert.Equal((2, 2), (pool.BusyCount, pool.QueuedCount));
        pool.Abandon(items[1]);
        pool.Abandon(items[2]);
        Patience.Await(items[3].Started, "the next to start in the place of those given up");
        Assert.Equal((1, 1), (pool.BusyCount, pool.QueuedCount));
        release.Set();
        Patience.Await(items[4].Ended, "the last to end");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void WorkerPool_NoWorker_Throws(int size) => Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(size, "tests"));

    private static readonly object[] Keys = [new(), new(), new(), new()];

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference<object>> SubmitForNewOwners(WorkerPool pool)
    {
        var owners = new List<WeakReference<object>>();
        for (var i = 0; i < 5; i++)
        {
            var owner = new object();
            owners.Add(new WeakReference<object>(owner));
            foreach (var item in Enumerable.Range(0, 3).Select(_ => new WorkItem(owner)).ToArray())
            {
                pool.TrySubmit(item);
                Patience.Await(item.Ended, "an item to end");
            }
        }

        return owners;
    }
}
