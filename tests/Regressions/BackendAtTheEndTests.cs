using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>What a backend is told when a run ends at an unlucky moment.</summary>
public sealed class BackendAtTheEndTests
{
    // Before the fix the backend was aborted and stopped while it still started, and what it had started stayed.
    [Fact]
    public void Run_CancelledWhileTheBackendStarts_AbortsItAfterwards()
    {
        using var cancellation = new CancellationTokenSource();
        var duringStart = "";
        var backend = new ScriptedBackend();
        backend.Starting = () =>
        {
            cancellation.Cancel();
            duringStart = backend.Events;
        };
        using var parallel = Parallel(nJobs: 2, backend: backend);
        var sequence = new CountedSequence<int>([Delayed(() => 1)]);
        Assert.ThrowsAny<OperationCanceledException>(() => parallel.Run((IEnumerable<Delayed<int>>)sequence, cancellation.Token));
        Assert.Equal("Configure Start", duringStart);
        Assert.Equal("Configure Start Abort Stop", backend.Events);
        Assert.Equal((0, 1), (sequence.Taken, sequence.Closed));
        backend.Starting = null;
        Assert.Equal([1], parallel.Run([Delayed(() => 1)], TestContext.Current.CancellationToken));
    }

    // Before the fix the exception's message ended the end: the backend was neither aborted nor stopped, and the run kept its timer and its hold of the caller's token.
    [Fact]
    public void Run_CallThrowsAnExceptionWhoseMessageThrows_AbortsAndStopsAFollowingBackend()
    {
        var backend = new ScriptedBackend { Following = new LoopProgress().Follow };
        using var parallel = Parallel(nJobs: 2, backend: backend);
        Assert.IsType<MuteException>(Patience.ThrownBy(() => parallel.Run([Delayed(int () => throw new MuteException())])));
        Assert.EndsWith("Abort Stop", backend.Events, StringComparison.Ordinal);
    }

#pragma warning disable CA1032, CA1064
    private sealed class MuteException : Exception
#pragma warning restore CA1032, CA1064
    {
        public override string Message => throw new FormatException("from Message");
    }
}
