using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>What a backend is asked, in which order (joblib's observed order, without its traps).</summary>
public sealed class BackendLifecycleTests
{
    [Fact]
    public void Run_Succeeds_ConfiguresStartsSubmitsStopsAndTerminatesOnDispose()
    {
        var backend = new ScriptedBackend();
        using (var parallel = Parallel(2, backend, preDispatch: "all", batchSize: 3))
        {
            Assert.Equal("", backend.Events);
            Assert.Equal(Enumerable.Range(0, 12), Patience.Within(() => parallel.Run(Numbers(12))));
            Assert.Equal("Configure Start Submit3 Submit3 Submit3 Submit3 Stop", backend.Events);
        }

        Assert.Equal("Configure Start Submit3 Submit3 Submit3 Submit3 Stop Terminate", backend.Events);
    }

    [Fact]
    public void Run_NoCalls_StartsAndStops()
    {
        var backend = new ScriptedBackend();
        using var parallel = Parallel(2, backend);
        Assert.Empty(Patience.Within(() => parallel.Run(Numbers(0))));
        Assert.Equal("Configure Start Stop", backend.Events);
    }

    [Fact]
    public void Run_CallThrows_AbortsBeforeItStops()
    {
        var backend = new ScriptedBackend();
        using (var parallel = Parallel(2, backend, preDispatch: 1, batchSize: 1))
        {
            Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 9).Select(i => Delayed(() => i == 1 ? throw new UserException(i, []) : i)))));
            Assert.Equal("Configure Start Submit1 Submit1 Abort Stop", backend.Events);
        }

        Assert.EndsWith(" Abort Stop Terminate", backend.Events, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_SeveralRunsInAUsingBlock_ConfigureOnceTerminateOnce()
    {
        var backend = new ScriptedBackend();
        using (var parallel = Parallel(2, backend, preDispatch: "all", batchSize: 9))
        {
            for (var run = 0; run < 3; run++)
            {
                Patience.Within(() => parallel.Run(Numbers(2)));
            }
        }

        Assert.Equal("Configure Start Submit1 Submit1 Stop Start Submit1 Submit1 Stop Start Submit1 Submit1 Stop Terminate", backend.Events);
    }

    [Fact]
    public void Dispose_NeverRun_AsksNothing()
    {
        var backend = new ScriptedBackend();
        Parallel(2, backend).Dispose();
        Assert.Equal("", backend.Events);
    }

    [Fact]
    public void Run_OneJob_RunsHereWithoutTheBackend()
    {
        var backend = new ScriptedBackend(jobs: 1);
        var here = Environment.CurrentManagedThreadId;
        using var parallel = Parallel(-1, backend);
        Assert.Equal([here], parallel.Run([Delayed(() => Environment.CurrentManagedThreadId)]));
        Assert.Equal("Configure", backend.Events);
    }

    [Fact]
    public void Run_OneJobOfABackendThatRunsElsewhere_GoesThere()
    {
        var backend = new ScriptedBackend(jobs: 1) { Elsewhere = true };
        using var parallel = Parallel(-1, backend);
        Assert.Equal([5], Patience.Within(() => parallel.Run([Delayed(() => 5)])));
        Assert.Equal("Configure Start Submit1 Stop", backend.Events);
    }

    [Fact]
    public void Configure_CancelsTheCallersToken_NothingIsStarted()
    {
        using var cancelling = new CancellationTokenSource();
        var backend = new ScriptedBackend
        {
            Configuring = _ =>
            {
                cancelling.Cancel();
                return new(2);
            },
        };
        var sequence = new CountedSequence<int>(Numbers(3));
        using var parallel = Parallel(2, backend);
        Assert.IsAssignableFrom<OperationCanceledException>(Patience.ThrownBy(() => parallel.Run((IEnumerable<Delayed<int>>)sequence, cancelling.Token)));
        Assert.DoesNotContain("Submit", backend.Events, StringComparison.Ordinal);
        Assert.DoesNotContain("Stop Start", backend.Events, StringComparison.Ordinal);
        Assert.Equal((sequence.Opened, 0), (sequence.Closed, sequence.Taken));
        Assert.Equal([0, 1], Patience.Within(() => parallel.Run(Numbers(2))));
    }

    [Fact]
    public void Configure_GivesNoWorker_ThrowsSayingSo()
    {
        var backend = new ScriptedBackend(jobs: 0);
        using var parallel = Parallel(2, backend);
        var thrown = Assert.IsType<JoblibException>(Patience.ThrownBy(() => parallel.Run(Numbers(1))));
        Assert.Contains(nameof(ScriptedBackend), thrown.Message, StringComparison.Ordinal);
        Assert.EndsWith("#no-active-worker", thrown.HelpLink, StringComparison.Ordinal);
        Assert.Equal("Configure", backend.Events);
    }

    [Fact]
    public void Configure_Throws_ThrowsItAndTriesAgainNextTime()
    {
        var fails = true;
        var backend = new ScriptedBackend { Configuring = _ => fails ? throw new UserException(1, ["configure"]) : new(2) };
        using var parallel = Parallel(2, backend);
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Numbers(1))));
        fails = false;
        Assert.Equal([0], Patience.Within(() => parallel.Run(Numbers(1))));
        Assert.Equal("Configure Configure Start Submit1 Stop", backend.Events);
    }

    [Fact]
    public void Configure_FallsBack_TheOtherBackendServesTheRun()
    {
        var other = new ScriptedBackend(jobs: 3);
        var backend = new ScriptedBackend { Configuring = _ => throw new FallbackToBackendException(other) };
        for (var time = 1; time <= 2; time++)
        {
            // The same object serves a second loop after the first.
            using var parallel = Parallel(2, backend);
            Assert.Equal([0, 1], Patience.Within(() => parallel.Run(Numbers(2))));
            Assert.Equal(string.Join(" ", Enumerable.Repeat("Configure", time)), backend.Events);
            Assert.EndsWith("Configure Start Submit1 Submit1 Stop", other.Events, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Configure_FallsBackTwice_TheLastServes()
    {
        var last = new ScriptedBackend();
        var middle = new ScriptedBackend { Configuring = _ => throw new FallbackToBackendException(last) };
        using var parallel = Parallel(2, new ScriptedBackend { Configuring = _ => throw new FallbackToBackendException(middle) });
        Assert.Equal([0], Patience.Within(() => parallel.Run(Numbers(1))));
        Assert.Equal("Configure Start Submit1 Stop", last.Events);
        Assert.Throws<ArgumentNullException>(() => new FallbackToBackendException(null!));
    }

    [Fact]
    public void Run_BackendObjectInTwoLoopsAtOnce_Throws()
    {
        using var release = new ManualResetEventSlim();
        var backend = new ScriptedBackend();
        using var first = Parallel(2, backend);
        using var second = Parallel(2, backend);
        var inner = Patience.Within(() => first.Run([Delayed(() => Patience.ThrownBy(() => second.Run(Numbers(1))))]));
        Assert.IsType<InvalidOperationException>(inner[0]);
        Assert.Equal([0], Patience.Within(() => first.Run(Numbers(1))));
    }

    [Fact]
    public void Run_BackendObjectInTwoLoopsInTurn_ServesBoth()
    {
        var backend = new ScriptedBackend();
        using var first = Parallel(2, backend);
        using var second = Parallel(3, backend);
        Assert.Equal([0], Patience.Within(() => first.Run(Numbers(1))));
        Assert.Equal([0], Patience.Within(() => second.Run(Numbers(1))));
        Assert.Equal([0], Patience.Within(() => first.Run(Numbers(1))));
        Assert.Equal("Configure Start Submit1 Stop Terminate Configure Start Submit1 Stop Terminate Configure Start Submit1 Stop", backend.Events);
    }

    private static IEnumerable<Delayed<int>> Numbers(int count) => Enumerable.Range(0, count).Select(i => Delayed(() => i));
}
