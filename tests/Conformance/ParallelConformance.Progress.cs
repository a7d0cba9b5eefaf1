using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    private static readonly AsyncLocal<RecordedProgress?> Watched = new();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(100, 1)]
    [InlineData(100, 9)]
    [InlineData(100, 200)]
    public void Run_Progress_ReportsEveryCallInTurn(int count, int batchSize)
    {
        var progress = new RecordedProgress();
        using var parallel = NewParallel(batchSize: batchSize, progress: progress);
        Patience.Within(() => parallel.Run(Squares(count).ToArray()));
        Assert.Equal(Enumerable.Range(1, count).Select(i => (long)i), progress.Reports.Select(report => report.Completed));
        Assert.All(progress.Reports, report =>
        {
            Assert.Equal(0, report.Failed);
            Assert.Equal(count, report.Total);
            Assert.InRange(report.Dispatched, report.Completed, count);
            Assert.True(report.Elapsed >= TimeSpan.Zero);
        });
    }

    [Fact]
    public void Run_ProgressOfALazySequence_KnowsTheTotalAtMostAtTheEnd()
    {
        var progress = new RecordedProgress();
        using var parallel = NewParallel(batchSize: 1, progress: progress);
        Patience.Within(() => parallel.Run(Squares(50)));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), progress.Reports.Select(report => report.Completed));
        Assert.Null(progress.Reports[0].Total);
        Assert.All(progress.Reports, report => Assert.True(report.Total is null or 50));
    }

    [Fact]
    public void Run_ProgressWithinOneBatch_IsReportedBetweenItsCalls()
    {
        if (!Traits.RunsCallsInThisProcess)
        {
            return; // The calls look into an object of this process; what its reports amount to: Run_Progress_ReportsEveryCallInTurn
        }

        // It flows with the caller, so that the calls capture nothing that could not travel.
        Watched.Value = new RecordedProgress();
        using var parallel = NewParallel(preDispatch: 40, batchSize: 20, progress: Watched.Value);
        var reportsBefore = Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(i => Delayed(() => Watched.Value!.Reports.Count)).ToArray()));

        // Twenty calls on two jobs: two batches of ten, or one after the other. Within a batch each call finds its elder siblings reported.
        Assert.All(Enumerable.Range(1, 9), i => Assert.True(reportsBefore[i] > reportsBefore[i - 1], $"Call {i} ran before call {i - 1} was reported."));
        Assert.All(Enumerable.Range(11, 9), i => Assert.True(reportsBefore[i] > reportsBefore[i - 1], $"Call {i} ran before call {i - 1} was reported."));
    }

    [Fact]
    public void Run_ProgressOfFailures_CountsThem()
    {
        var progress = new RecordedProgress();
        using var parallel = NewParallel(progress: progress);
        Patience.Within(() => parallel.Run(Enumerable.Range(0, 30).Select(i => Delayed(FailAt, i, i % 10 == 4 ? i : -1).AsOutcome())));
        Assert.Equal(Enumerable.Range(1, 30).Select(i => (long)i), progress.Reports.Select(report => report.Completed));
        Assert.Equal(3, progress.Reports[^1].Failed);
        Assert.Equal(progress.Reports.Select(report => report.Failed).Order(), progress.Reports.Select(report => report.Failed));
    }

    [Fact]
    public void Run_ProgressOfAFailedRun_ReportsTheFailedCall()
    {
        var progress = new RecordedProgress();
        using var parallel = NewParallel(preDispatch: 1, batchSize: 1, progress: progress);
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 30).Select(i => Delayed(FailAt, i, 6)))));
        Assert.Equal(1, progress.Reports[^1].Failed);
        Assert.Equal(7, progress.Reports[^1].Completed);
    }

    [Fact]
    public void Run_ProgressThrows_ThrowsItsException()
    {
        using var parallel = NewParallel(progress: new ThrowingProgress());
        Assert.Equal(3, Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Squares(30)))).Code);
    }

    private sealed class RecordedProgress : IProgress<RunProgress>
    {
        private readonly Lock _gate = new();
        private readonly List<RunProgress> _reports = [];

        internal IReadOnlyList<RunProgress> Reports
        {
            get
            {
                lock (_gate)
                {
                    return [.. _reports];
                }
            }
        }

        public void Report(RunProgress value)
        {
            lock (_gate)
            {
                _reports.Add(value);
            }
        }
    }

    private sealed class ThrowingProgress : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            if (value.Completed == 3)
            {
                throw new UserException(3, ["progress"]);
            }
        }
    }
}
