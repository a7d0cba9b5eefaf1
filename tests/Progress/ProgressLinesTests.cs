using System.Text.RegularExpressions;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>The lines of whole runs. Times are struck out; everything else is what joblib prints, the backend's name excepted.</summary>
[Collection(ProcessWideCollection.Name)]
public sealed partial class ProgressLinesTests
{
    [Fact]
    public void Run_TwoJobs_PrintsALinePerBatchAndTheEnd()
    {
        using var console = new CapturedConsole();
        RunOneBatchAtATime(Numbers(6).ToArray(), verbose: 50);
        Assert.Equal(
            [
                "[Parallel(n_jobs=-1)]: Using backend ScriptedBackend with 2 concurrent workers.",
                "[Parallel(n_jobs=-1)]: Done 1 out of 6 | elapsed: T",
                "[Parallel(n_jobs=-1)]: Done 2 out of 6 | elapsed: T",
                "[Parallel(n_jobs=-1)]: Done 3 out of 6 | elapsed: T",
                "[Parallel(n_jobs=-1)]: Done 4 out of 6 | elapsed: T remaining: T",
                "[Parallel(n_jobs=-1)]: Done 6 out of 6 | elapsed: T finished",
            ],
            Lines(console.Out));
        Assert.Empty(console.Error);
    }

    [Fact]
    public void Run_LazySequence_PrintsTasksWithoutATotal()
    {
        using var console = new CapturedConsole();
        RunOneBatchAtATime(Numbers(6), verbose: 11);
        Assert.Equal(
            [
                "[Parallel(n_jobs=-1)]: Using backend ScriptedBackend with 2 concurrent workers.",
                "[Parallel(n_jobs=-1)]: Done   1 tasks      | elapsed: T",
                "[Parallel(n_jobs=-1)]: Done   2 tasks      | elapsed: T",
                "[Parallel(n_jobs=-1)]: Done   3 tasks      | elapsed: T",
                "[Parallel(n_jobs=-1)]: Done   4 out of   6 | elapsed: T remaining: T",
                "[Parallel(n_jobs=-1)]: Done   6 out of   6 | elapsed: T finished",
            ],
            Lines(console.Error));
    }

    [Fact]
    public void Run_OneJob_PrintsEveryCallAndTheEnd()
    {
        using var console = new CapturedConsole();
        using var parallel = Parallel(nJobs: 1, verbose: 11);
        parallel.Run(Numbers(3).ToArray());
        Assert.Equal(
            [
                "[Parallel(n_jobs=1)]: Done 1 out of 3 | elapsed: T",
                "[Parallel(n_jobs=1)]: Done 2 out of 3 | elapsed: T",
                "[Parallel(n_jobs=1)]: Done 3 out of 3 | elapsed: T",
                "[Parallel(n_jobs=1)]: Done 3 out of 3 | elapsed: T finished",
            ],
            Lines(console.Error));
    }

    [Fact]
    public void Run_NoCalls_PrintsTheEndWithOneJobAndTheBackendWithMore()
    {
        using var console = new CapturedConsole();
        using var one = Parallel(nJobs: 1, verbose: 11);
        one.Run(Numbers(0));
        using var two = Parallel(2, new ScriptedBackend(), verbose: 11);
        Patience.Within(() => two.Run(Numbers(0)));
        Assert.Equal(
            [
                "[Parallel(n_jobs=1)]: Done   0 out of   0 | elapsed: T finished",
                "[Parallel(n_jobs=2)]: Using backend ScriptedBackend with 2 concurrent workers.",
            ],
            Lines(console.Error));
    }

    [Fact]
    public void Run_CallThrows_PrintsNoEnd()
    {
        using var console = new CapturedConsole();
        foreach (var nJobs in (int[])[1, 2])
        {
            // joblib's sequential path hides the user's exception behind one of its own here.
            using var parallel = Parallel(nJobs, new ScriptedBackend(), verbose: 11, batchSize: 1);
            Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 6).Select(i => Delayed(() => i == 3 ? throw new UserException(i, []) : i)))));
        }

        Assert.DoesNotContain("finished", console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_VerboseZero_PrintsNothing()
    {
        using var console = new CapturedConsole();
        using var parallel = Parallel(2, new ScriptedBackend(), verbose: 0);
        Patience.Within(() => parallel.Run(Numbers(20)));
        Assert.Equal(("", ""), (console.Out, console.Error));
    }

    [Fact]
    public void Run_WithoutLoggerFactory_WarnsOnStandardError()
    {
        var factory = LoggerFactory;
        using var console = new CapturedConsole();
        try
        {
            LoggerFactory = null;
            using var parallel = Parallel(2, new ScriptedBackend(), timeout: TimeSpan.FromSeconds(77));
            Patience.Within(() => parallel.Run(Numbers(2)));
        }
        finally
        {
            LoggerFactory = factory;
        }

        var line = Assert.Single(console.ErrorLines);
        Assert.StartsWith("joblib warning: ", line, StringComparison.Ordinal);
        Assert.Contains("'ScriptedBackend'", line, StringComparison.Ordinal);
        Assert.Contains("00:01:17", line, StringComparison.Ordinal);
    }

    private static void RunOneBatchAtATime(IEnumerable<Delayed<int>> calls, int verbose)
    {
        var submitted = new Queue<CallBatch>();
        using var parallel = Parallel(-1, new ScriptedBackend { Submitting = submitted.Enqueue }, verbose: verbose, batchSize: 1);
        var run = parallel.RunAsync(calls);
        while (submitted.TryDequeue(out var batch))
        {
            batch.Execute();
            batch.Complete();
        }

        Patience.Await(run, "the run");
    }

    private static IEnumerable<Delayed<int>> Numbers(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var number = i;
            yield return Delayed(() => number);
        }
    }

    private static string[] Lines(string printed) =>
        Time().Replace(printed, "$1: T").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"(elapsed|remaining): +[0-9.]+(s|min)")]
    private static partial Regex Time();
}
