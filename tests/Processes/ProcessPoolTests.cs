using System.Buffers;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>Moments in which a pool of worker processes could lose work, or run what nobody wants.</summary>
public sealed class ProcessPoolTests : IDisposable
{
    // A pool of its own: what other tests do must not come between.
    private static long _memoryGrowth = 400_000_000;

    private readonly Rendezvous _meeting = new();
    private readonly LokyBackendOptions _own = new() { MaxMemoryGrowth = Interlocked.Increment(ref _memoryGrowth) };

    public void Dispose() => _meeting.Dispose();

    // The pool starts no worker any more, and the last one leaves its work behind.
    [Fact]
    public void Run_LastWorkerDiesAfterAnotherCouldNotStart_Ends()
    {
        var meeting = _meeting;
        var options = _own with
        {
            Initializer = () =>
            {
                if (meeting.Add("workers") == 2)
                {
                    meeting.Note("second", Environment.ProcessId);
                    meeting.Await("started", "the first call to start");
                    Environment.Exit(3);
                }
            },
        };
        using var parallel = Parallel(2, "loky", batchSize: 1, backendOptions: options);
        Assert.Equal([0, 1], Patience.Within(() => parallel.Run(Enumerable.Range(0, 2).Select(i => Delayed(() =>
        {
            meeting.Set("started");
            if (meeting.Add("calls") == 1)
            {
                Patience.Until(() => meeting.Noted("second") is [var second] && !Living.IsAlive(int.Parse(second)), "the second worker to end");

                // The program hears of one end before the other.
                Thread.Sleep(300);
                Crashes.Make(Crash.Kill);
            }

            return i;
        })))));
    }

    [Fact]
    public void Run_PoolCouldNotStartInTheLastRun_StartsAnother()
    {
        var meeting = _meeting;
        using var parallel = Parallel(2, "loky", backendOptions: _own with
        {
            Initializer = () =>
            {
                if (!meeting.IsSet("repaired"))
                {
                    throw new UserException(1, ["not yet"]);
                }
            },
        });
        Assert.EndsWith("#initializer-failed", Assert.IsType<JoblibException>(Patience.ThrownBy(() => parallel.Run([Delayed(() => 1)]))).HelpLink, StringComparison.Ordinal);
        meeting.Set("repaired");
        Assert.Equal([1], Patience.Within(() => parallel.Run([Delayed(() => 1)])));
    }

    // Taken apart to find the culprit, the calls are encoded once more.
    [Fact]
    public void Run_ArgumentCannotTravelWhenItsBatchIsTakenApart_FailsTheRun()
    {
        var meeting = _meeting;
        var holder = new Holder();
        using var parallel = Parallel(2, "loky", batchSize: 2, preDispatch: "all", backendOptions: _own);
        var running = parallel.RunAsync(Enumerable.Range(0, 8).Select(i => Delayed(() =>
        {
            if (i == 0 && holder.Value is null)
            {
                meeting.Set("started");
                meeting.Await("changed", "the argument to change");
                Crashes.Make(Crash.Kill);
            }

            return i;
        })));
        meeting.Await("started", "the first call to start");
        holder.Value = Thread.CurrentThread;
        meeting.Set("changed");
        Assert.IsType<CannotTravelException>(Patience.ThrownBy(() => Patience.Await(running, "the run")));
    }

    // Work of a cancelled run comes back from workers that were busy with another's, one by one: each makes room for the next run's.
    [Fact]
    public void Run_WorkOfTheLastOneIsStillWithBusyWorkers_IsServedWhenTheyAreFree()
    {
        var meeting = _meeting;
        using var other = Parallel(4, "loky", batchSize: 1, preDispatch: "all", backendOptions: _own);
        var others = other.RunAsync(Enumerable.Range(0, 4).Select(i => Delayed(() =>
        {
            meeting.Note("others", i);
            meeting.Await(i == 0 ? "end" : "free", "the others to go on");
            return i;
        })));
        Patience.Until(() => meeting.Noted("others").Length == 4, "all workers to be busy");

        using var parallel = Parallel(2, "loky", batchSize: 1, backendOptions: _own);
        using var cancelling = new CancellationTokenSource();
        var cancelled = parallel.RunAsync(Enumerable.Range(0, 2).Select(i => Delayed(() => i)), cancelling.Token);
        cancelling.Cancel();
        Assert.IsAssignableFrom<OperationCanceledException>(Patience.ThrownBy(() => Patience.Await(cancelled, "the cancelled run")));

        var next = parallel.RunAsync(Enumerable.Range(0, 2).Select(i => Delayed(() => 10 + i)));
        meeting.Set("free");
        Assert.Equal([10, 11], Patience.Await(next, "the next run"));
        Assert.False(others.IsCompleted);
        meeting.Set("end");
        Assert.Equal([0, 1, 2, 3], Patience.Await(others, "the others"));
    }

    // The run ends while a batch of it is being encoded.
    [Fact]
    public void Run_CancelledWhileABatchIsOnItsWay_DoesNotExecuteIt()
    {
        var meeting = _meeting;
        using var parallel = Parallel(2, "loky", batchSize: 1, backendOptions: _own);
        Assert.Equal([1], Patience.Within(() => parallel.Run([Delayed(() => 1)])));
        using var cancelling = new CancellationTokenSource();
        var trigger = Portable.Wrap(new Trigger(cancelling.Cancel), new TriggerSerializer());
        Assert.IsAssignableFrom<OperationCanceledException>(Patience.ThrownBy(() => parallel.Run(
            [
                Delayed(() =>
                {
                    meeting.Set("executed");
                    return trigger.Value is null ? 0 : 1;
                }),
            ],
            cancelling.Token)));

        // By the time that both workers have executed two of these it would have had its turn.
        Assert.Equal(Enumerable.Range(0, 4), Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(() =>
        {
            meeting.Meet("pair", 2, "the other worker");
            return i;
        })))));
        Assert.False(meeting.IsSet("executed"));
    }

    private sealed class Holder
    {
        internal object? Value { get; set; }
    }

    private sealed class Trigger(Action pull)
    {
        internal void Pull() => pull();
    }

    private sealed class TriggerSerializer : ICallSerializer<Trigger>
    {
        public void Write(Trigger value, IBufferWriter<byte> output) => value.Pull();

        public Trigger Read(ReadOnlySequence<byte> input) => new(() => { });
    }
}
