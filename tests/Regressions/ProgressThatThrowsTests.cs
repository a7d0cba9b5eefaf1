using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class ProgressThatThrowsTests
{
    // Before the fix the exception left the worker's thread, which ends the process.
    [Fact]
    public void Run_ProgressThrows_ThrowsThatException() =>
        Assert.Throws<FormatException>(() => Parallel(nJobs: 2, progress: new Throwing()).Run(Enumerable.Range(0, 10).Select(i => Delayed(() => i))));

    private sealed class Throwing : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => throw new FormatException("from IProgress");
    }
}
