using Xunit;

namespace Orleans.Joblib.Tests;

[Collection(ProcessWideCollection.Name)]
public sealed class ProgressPrinterTests
{
    /// <summary>Python's values of joblib.logger.short_format_time.</summary>
    [Theory]
    [InlineData(0.0, "   0.0s")]
    [InlineData(0.04, "   0.0s")]
    [InlineData(0.051, "   0.1s")]
    [InlineData(0.949, "   0.9s")]
    [InlineData(1.0, "   1.0s")]
    [InlineData(9.96, "  10.0s")]
    [InlineData(59.94, "  59.9s")]
    [InlineData(59.96, "  60.0s")]
    [InlineData(60.0, "  60.0s")]
    [InlineData(60.001, " 1.0min")]
    [InlineData(90.0, " 1.5min")]
    [InlineData(599.0, "10.0min")]
    [InlineData(3600.0, "60.0min")]
    [InlineData(360000.0, "6000.0min")]
    public void Format_Time_IsJoblibs(double seconds, string expected) => Assert.Equal(expected, ProgressPrinter.Format(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(null, "[Parallel(n_jobs=-1)]: Done   7 tasks      | elapsed:    1.5s")]
    [InlineData(0, "[Parallel(n_jobs=-1)]: Done   7 tasks      | elapsed:    1.5s")]
    [InlineData(9, "[Parallel(n_jobs=-1)]: Done 7 out of 9 | elapsed:    1.5s")]
    [InlineData(12, "[Parallel(n_jobs=-1)]: Done  7 out of 12 | elapsed:    1.5s")]
    [InlineData(10000, "[Parallel(n_jobs=-1)]: Done     7 out of 10000 | elapsed:    1.5s")]
    public void Running_LengthKnownOrNot_PrintsJoblibsLine(int? length, string expected) =>
        Assert.Equal([expected], Printed(new ProgressPrinter(-1, 11, length, 4), printer => printer.Running(7, 20, TimeSpan.FromSeconds(1.5))));

    [Theory]
    [InlineData(null, "[Parallel(n_jobs=2)]: Done   8 out of  16 | elapsed:    3.0s remaining:    3.0s")]
    [InlineData(16, "[Parallel(n_jobs=2)]: Done  8 out of 16 | elapsed:    3.0s remaining:    3.0s")]
    public void Draining_LengthKnownOrNot_PrintsWhatRemains(int? length, string expected) =>
        Assert.Equal([expected], Printed(new ProgressPrinter(2, 100, length, 4), printer => printer.Draining(8, 16, TimeSpan.FromSeconds(3))));

    [Fact]
    public void Draining_NothingCompleted_AlwaysPrints() => Assert.Equal(
        ["[Parallel(n_jobs=2)]: Done   0 out of   4 | elapsed:    2.0s remaining:    8.0s"],
        Printed(new ProgressPrinter(2, 1, null, 4), printer => printer.Draining(0, 4, TimeSpan.FromSeconds(2))));

    [Fact]
    public void StartedAndFinished_Any_PrintJoblibsLines() => Assert.Equal(
        ["[Parallel(n_jobs=-1)]: Using backend threading with 4 concurrent workers.", "[Parallel(n_jobs=-1)]: Done  16 out of  16 | elapsed:  2.0min finished"],
        Printed(new ProgressPrinter(-1, 1, null, 4), printer =>
        {
            printer.Started("threading", 4);
            printer.Finished(16, TimeSpan.FromMinutes(2));
        }));

    [Theory]
    [InlineData(1, false)]
    [InlineData(49, false)]
    [InlineData(50, true)]
    [InlineData(1000, true)]
    public void Print_FromVerboseFifty_GoesToStandardOutput(int verbose, bool toStandardOutput)
    {
        using var console = new CapturedConsole();
        new ProgressPrinter(2, verbose, null, 4).Finished(1, TimeSpan.Zero);
        Assert.Equal((toStandardOutput ? 1 : 0, toStandardOutput ? 0 : 1), (console.OutLines.Length, console.ErrorLines.Length));
    }

    [Fact]
    public void Running_EveryVerbosity_PrintsAsOftenAsJoblib()
    {
        for (var verbose = 1; verbose <= 60; verbose++)
        {
            var printer = new ProgressPrinter(2, verbose, null, 4);
            for (var batches = 0; batches <= 400; batches++)
            {
                var lines = Printed(printer, p => p.Running(batches, batches, TimeSpan.Zero));
                Assert.True(lines.Count == (ProgressReference.SkipsRunning(batches, verbose) ? 0 : 1), $"verbose {verbose}, batches {batches}: {lines.Count} lines");
            }
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 4)]
    [InlineData(7, 4)]
    [InlineData(64, 8)]
    [InlineData(100, 0)]
    [InlineData(333, 20)]
    public void Draining_EveryVerbosity_PrintsAsOftenAsJoblib(int total, int preDispatched)
    {
        for (var verbose = 1; verbose <= 60; verbose++)
        {
            var printer = new ProgressPrinter(2, verbose, null, preDispatched);
            for (var completed = 0; completed < total; completed++)
            {
                var lines = Printed(printer, p => p.Draining(completed, total, TimeSpan.Zero));
                var expected = ProgressReference.SkipsDraining(completed, total, preDispatched, verbose) ? 0 : 1;
                Assert.True(lines.Count == expected, $"verbose {verbose}, completed {completed} of {total}: {lines.Count} lines");
            }
        }
    }

    private static List<string> Printed(ProgressPrinter printer, Action<ProgressPrinter> print)
    {
        using var console = new CapturedConsole();
        print(printer);
        return [.. console.ErrorLines, .. console.OutLines];
    }
}
