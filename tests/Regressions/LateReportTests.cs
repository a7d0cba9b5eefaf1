using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>A run that has failed while one of its calls goes on, and the reports of that call.</summary>
public sealed class LateReportTests
{
    // Before the fix the call that went on was reported when it ended, into the caller's next run or into what he had disposed.
    [Fact]
    public void Run_HasThrown_ReportsNoMore()
    {
        using var release = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        using var parallel = Parallel(2, "threading", batchSize: 1, progress: new CountedProgress(() => Interlocked.Increment(ref _reports)));
        Thread? worker = null;
        try
        {
            Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(
            [
                Delayed(() =>
                {
                    worker = Thread.CurrentThread;
                    started.Set();
                    Patience.Await(release, "the test");
                }),
                Delayed(() =>
                {
                    Patience.Await(started, "the other call");
                    throw new UserException(1, []);
                }),
            ])));
            Assert.Equal(1, Volatile.Read(ref _reports));
        }
        finally
        {
            release.Set();
        }

        Assert.True(worker!.Join(Patience.Limit));
        Assert.Equal(1, Volatile.Read(ref _reports));
    }

    // What a failed run waits for is bounded: a Report that hangs keeps the failure from nobody.
    [Fact]
    public void Run_FailsWhileAReportHangs_Throws()
    {
        using var release = new ManualResetEventSlim();
        using var reporting = new ManualResetEventSlim();
        using var cancelling = new CancellationTokenSource();
        using var parallel = Parallel(2, "threading", batchSize: 1, progress: new CountedProgress(() =>
        {
            reporting.Set();
            Patience.Await(release, "the test");
        }));
        try
        {
            var running = Task.Run(() => Patience.ThrownBy(() => parallel.Run([Delayed(() => 1), Delayed(() => 2)], cancelling.Token)));
            Patience.Await(reporting, "a report");
            cancelling.Cancel();
            Assert.IsType<OperationCanceledException>(Patience.Await(running, "the run"));
        }
        finally
        {
            release.Set();
        }
    }

    private int _reports;

    private sealed class CountedProgress(Action report) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => report();
    }
}
