using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Progress;

public sealed class RunProgressBarTests
{
    [Fact]
    public void Run_OnATerminal_LeavesTheWholeBarBehind()
    {
        using var terminal = new RecordedTerminal();
        int[] values;
        using (var bar = new RunProgressBar("grid [search]", terminal.Console))
        {
            values = Patience.Within(() => Parallel(nJobs: 2, backend: "threading", progress: bar).Run((from i in Enumerable.Range(0, 1000) select Delayed(() => i)).ToArray()));
        }

        Assert.Equal(1000, values.Length);
        var last = terminal.Lines[^1];
        Assert.Contains("grid [search]", last);
        Assert.Contains("━━━", last);
        Assert.Contains("1,000 of 1,000", last);
        Assert.Contains("0:00 left", last);
        Assert.DoesNotContain("failed", terminal.Text);
    }

    [Fact]
    public void Run_CallsFailed_SaysHowMany()
    {
        using var terminal = new RecordedTerminal();
        using (var bar = new RunProgressBar(console: terminal.Console))
        {
            Patience.Within(() => Parallel(nJobs: 2, backend: "threading", progress: bar)
                .Run(Enumerable.Range(0, 40).Select(i => Delayed(() => i % 10 == 0 ? throw new InvalidTimeZoneException() : i).AsOutcome())));
        }

        Assert.Contains("40 of 40", terminal.Text);
        Assert.Contains("4 failed", terminal.Text);
    }

    [Fact]
    public void Run_NoTerminal_WritesPlainLinesAndAlwaysTheLast()
    {
        using var terminal = new RecordedTerminal(isTerminal: false);
        using (var bar = new RunProgressBar("sweep", terminal.Console, TimeSpan.FromHours(1)))
        {
            Patience.Within(() => Parallel(nJobs: 2, backend: "threading", progress: bar).Run(from i in Enumerable.Range(0, 10) select Delayed(() => i)));
        }

        Assert.Matches("^sweep: 10 of 10(, [0-9,.]+/s)?, 0:00 left$", Assert.Single(terminal.Lines));
    }

    [Fact]
    public void Report_NoTerminalAndALongRun_WritesOnAndOn()
    {
        using var terminal = new RecordedTerminal(isTerminal: false);
        using var bar = new RunProgressBar("sweep", terminal.Console, TimeSpan.FromMilliseconds(5));
        bar.Report(new RunProgress(1, 0, 2, 10, TimeSpan.FromSeconds(1)));
        Patience.Until(() => terminal.Lines.Length > 3, "a line after the other");
        Assert.StartsWith("sweep: 1 of 10, 1.0/s, 0:09 left", terminal.Text);
    }

    [Fact]
    public void Report_TwoBarsOnOneTerminal_TheSecondWritesLines()
    {
        using var terminal = new RecordedTerminal();
        using (var first = new RunProgressBar("first", terminal.Console, TimeSpan.FromMilliseconds(5)))
        {
            first.Report(new RunProgress(1, 0, 2, 10, TimeSpan.FromSeconds(1)));
            Patience.Until(() => terminal.Text.Contains("first", StringComparison.Ordinal), "the first bar");
            using var second = new RunProgressBar("second", terminal.Console, TimeSpan.FromMilliseconds(5));
            second.Report(new RunProgress(2, 0, 3, 20, TimeSpan.FromSeconds(1)));
            Patience.Until(() => terminal.Text.Contains("second: 2 of 20", StringComparison.Ordinal), "the second bar's lines");
        }
    }

    [Fact]
    public void Dispose_NothingReported_ShowsNothing()
    {
        using var terminal = new RecordedTerminal();
        new RunProgressBar("never", terminal.Console).Dispose();
        Assert.Equal("", terminal.Text);
    }

    [Fact]
    public void Report_AfterDispose_IsIgnored()
    {
        using var terminal = new RecordedTerminal();
        var bar = new RunProgressBar("late", terminal.Console);
        bar.Dispose();
        bar.Report(new RunProgress(1, 0, 1, 1, TimeSpan.FromSeconds(1)));
        bar.Dispose();
        Assert.Equal("", terminal.Text);
    }
}
