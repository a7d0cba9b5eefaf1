using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class EdgeOfSettingsTests
{
    // Before the fix: NullReferenceException.
    [Fact]
    public void Parallel_EmptyBackendChoice_ThrowsArgumentException() =>
        Assert.Throws<ArgumentException>(() => Parallel(backend: default(BackendChoice)));

    [Fact]
    public void PreDispatch_DefaultValue_IsTheDefault()
    {
        Assert.Equal(PreDispatch.Default, default);
        Assert.Equal("2*n_jobs", default(PreDispatch).ToString());
    }

    // Before the fix the default pre-dispatch passed the bound on what an expression may say, and room was made for a batch of every job.
    [Theory]
    [InlineData(1_000_000)]
    [InlineData(int.MaxValue)]
    public void Run_VeryManyJobs_Runs(int nJobs)
    {
        using var parallel = Parallel(nJobs);
        Assert.Equal([0, 1, 2], parallel.Run(Enumerable.Range(0, 3).Select(i => Delayed(() => i))));
    }
}
