using Microsoft.Extensions.Logging;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Nesting;

/// <summary>joblib 1.6: TP:test_nested_parallel_warnings; loky's depth.</summary>
public sealed class ProcessNestingTests
{
    private const string LokyBelowThreads = "Loky-backed parallel loops cannot be nested below threads, setting n_jobs=1";

    [Theory]
    [InlineData("loky", 0, null, null)]
    [InlineData("multiprocessing", 0, null, null)]
    [InlineData("loky", 1, null, LokyBelowThreads)]
    [InlineData("multiprocessing", 1, null, "Multiprocessing-backed parallel loops cannot be nested below threads, setting n_jobs=1")]
    [InlineData("loky", 0, "loky", null)]
    [InlineData("loky", 1, "loky", LokyBelowThreads)]
    [InlineData("loky", 0, "multiprocessing", "Loky-backed parallel loops cannot be called in a multiprocessing, setting n_jobs=1")]
    [InlineData("multiprocessing", 0, "multiprocessing", "Multiprocessing-backed parallel loops cannot be nested, setting n_jobs=1")]
    [InlineData("multiprocessing", 0, "loky", "Multiprocessing-backed parallel loops cannot be nested, below loky, setting n_jobs=1")]
    public void Allow_LoopInsideLoops_GivesOneJobAndAWarningWhereItIsRefused(string backend, int levelsOfThreads, string? workerOf, string? warning)
    {
        var before = warning is null ? CapturedLog.Instance.Count(LogLevel.Warning, "setting n_jobs=1") : CapturedLog.Instance.Count(LogLevel.Warning, warning);
        Assert.Equal(warning is null ? 7 : 1, ProcessNesting.Allow(backend, 7, levelsOfThreads, workerOf));
        if (warning is not null)
        {
            Assert.True(CapturedLog.Instance.Count(LogLevel.Warning, warning) > before);
        }

        // One job is what it would have been given: nothing to warn of.
        Assert.Equal(1, ProcessNesting.Allow(backend, 1, levelsOfThreads, workerOf));
    }

    [Fact]
    public void Allow_InsideACallOnThreads_IsRefused() =>
        Assert.Equal([1, 1], Parallel(nJobs: 2).Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => ProcessNesting.Allow("loky", 2, ConfigFrame.Current.NestingLevel, null)))));

    [Fact]
    public void Allow_DeeperThanLokysDepth_IsAnError()
    {
        var work = NestingLevel.Capture(10);
        Exception? thrown = null;
        ExecutionContext.Run(work, _ => thrown = Record.Exception(() => ProcessNesting.Allow("loky", 2, 10, "loky")), null);
        Assert.Contains("LOKY_MAX_DEPTH", Assert.IsType<JoblibException>(thrown).Message, StringComparison.Ordinal);
    }
}
