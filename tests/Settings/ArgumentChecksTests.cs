using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class ArgumentChecksTests
{
    [Fact]
    public void Parallel_ArgumentOutOfRange_ThrowsNamingIt()
    {
        AssertNamed("verbose", () => Parallel(verbose: -1));
        AssertNamed("timeout", () => Parallel(timeout: TimeSpan.Zero));
        AssertNamed("timeout", () => Parallel(timeout: TimeSpan.FromSeconds(-1)));
        AssertNamed("mmapMode", () => Parallel(mmapMode: (MmapMode)9));
        AssertNamed("prefer", () => Parallel(prefer: (Prefer)9));
        AssertNamed("require", () => Parallel(require: (Require)9));
    }

    [Fact]
    public void ParallelConfig_ArgumentOutOfRange_ThrowsNamingItAndSetsNothing()
    {
        AssertNamed("verbose", () => ParallelConfig(verbose: -1));
        AssertNamed("mmapMode", () => ParallelConfig(mmapMode: (MmapMode)9));
        AssertNamed("prefer", () => ParallelConfig(prefer: (Prefer)9));
        AssertNamed("require", () => ParallelConfig(require: (Require)9));
        AssertNamed("innerMaxNumThreads", () => ParallelConfig("threading", innerMaxNumThreads: 0));
        Assert.Same(ConfigFrame.Default, ConfigFrame.Current);
    }

    [Fact]
    public void ParallelConfig_InnerThreadsOnABackendThatCannotLimitThem_Throws()
    {
        Assert.Throws<ArgumentException>(() => ParallelConfig(innerMaxNumThreads: 2));
        var thrown = Assert.Throws<ArgumentException>(() => ParallelConfig("sequential", innerMaxNumThreads: 2));
        Assert.Contains("'sequential'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backend_UnknownName_ThrowsNamingTheOnesThereAre()
    {
        var thrown = Assert.Throws<ArgumentException>(() => Parallel(backend: "no-such-backend"));
        Assert.Contains("'no-such-backend'", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("'sequential'", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("'threading'", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ParallelConfig("no-such-backend"));
        Assert.Throws<ArgumentNullException>(() => Parallel(backend: (string)null!));
    }

    [Theory]
    [InlineData("loky")]
    [InlineData("multiprocessing")]
    public void Backend_OfWorkerProcesses_ThrowsSayingWhatToUse(string name)
    {
        var thrown = Assert.Throws<ArgumentException>(() => Parallel(backend: name));
        Assert.Contains("'threading'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Delayed_NullFunction_Throws()
    {
        Assert.Throws<ArgumentNullException>(() => Delayed((Func<int>)null!));
        Assert.Throws<ArgumentNullException>(() => Delayed((Func<int, int>)null!, 1));
        Assert.Throws<ArgumentNullException>(() => Delayed((Action)null!));
        Assert.Throws<ArgumentNullException>(() => Delayed((Func<Task<int>>)null!));
    }

    private static void AssertNamed(string name, Func<object> work) => Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(work).ParamName);
}
