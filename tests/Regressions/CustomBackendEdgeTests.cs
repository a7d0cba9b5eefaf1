using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

[Collection(ProcessWideCollection.Name)]
public sealed class CustomBackendEdgeTests
{
    // Before the fix the warning was left out: the backend could have kept the timeout, the calling thread cannot.
    [Fact]
    public void Run_TimeoutAndTheBackendHasOneJob_Warns()
    {
        using var log = new WarningLog();
        using var parallel = Parallel(nJobs: 4, backend: new InlineBackend { Jobs = 1 }, timeout: TimeSpan.FromSeconds(1));
        Assert.Equal([1], parallel.Run([Delayed(() => 1)]));
        Assert.Contains("timeout", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    // Before the fix a run that never began kept its timer and its hold of the caller's token.
    [Fact]
    public void Run_StartRunThrows_ThrowsItAndEndsTheRun()
    {
        using var cancellation = new CancellationTokenSource();
        var backend = new InlineBackend { FailsToStart = true };
        using var parallel = Parallel(nJobs: 4, backend: backend, timeout: TimeSpan.FromMilliseconds(50));
        Assert.Throws<FormatException>(() => parallel.Run([Delayed(() => 1)], cancellation.Token));
        Assert.Equal(1, backend.Stops);
        cancellation.Cancel();
        backend.FailsToStart = false;
        Assert.Equal([1], parallel.Run([Delayed(() => 1)], CancellationToken.None));
        Assert.Equal(2, backend.Stops);
    }

    private sealed class InlineBackend : ParallelBackend
    {
        internal int Jobs { get; init; } = 4;

        internal bool FailsToStart { get; set; }

        internal int Stops { get; private set; }

        public override bool SupportsTimeout => true;

        public override int EffectiveNJobs(int nJobs) => Jobs;

        public override void StartRun()
        {
            if (FailsToStart)
            {
                throw new FormatException("from StartRun");
            }
        }

        public override void StopRun() => Stops++;

        public override void Submit(CallBatch batch)
        {
            batch.Execute();
            batch.Complete();
        }
    }
}
