using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

[Collection(AloneCollection.Name)]
public sealed class NJobsTests
{
    private const string MaxVariable = "LOKY_MAX_CPU_COUNT";

    [Fact]
    public void NJobs_Zero_IsRefusedEverywhere()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Parallel(nJobs: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ParallelConfig(nJobs: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => EffectiveNJobs(0));
    }

    [Fact]
    public void EffectiveNJobs_NegativeNumber_CountsBackFromTheCores()
    {
        var cores = CpuCount();
        Assert.InRange(cores, 1, Environment.ProcessorCount);
        Assert.Equal(cores, EffectiveNJobs());
        Assert.Equal(cores, EffectiveNJobs(-1));
        Assert.Equal(Math.Max(cores - 1, 1), EffectiveNJobs(-2));
        Assert.Equal(1, EffectiveNJobs(-1000));
        Assert.Equal(1, EffectiveNJobs(1));
        Assert.Equal(37, EffectiveNJobs(37));
    }

    [Fact]
    public void EffectiveNJobs_Null_IsTheConfigurations()
    {
        Assert.Equal(1, EffectiveNJobs(null));
        using (ParallelConfig(nJobs: 5))
        {
            Assert.Equal(5, EffectiveNJobs(null));
        }

        using (ParallelConfig("sequential", nJobs: 5))
        {
            Assert.Equal(1, EffectiveNJobs(null));
            Assert.Equal(1, EffectiveNJobs(-1));
        }
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("0", 1)]
    [InlineData("-5", 1)]
    [InlineData("100000", null)]
    [InlineData("many", null)]
    [InlineData("", null)]
    public void CpuCount_LokysVariable_LimitsIt(string value, int? expected)
    {
        var before = Environment.GetEnvironmentVariable(MaxVariable);
        try
        {
            Environment.SetEnvironmentVariable(MaxVariable, null);
            var all = CpuCount();
            Environment.SetEnvironmentVariable(MaxVariable, value);
            Assert.Equal(expected ?? all, CpuCount());
            Assert.InRange(CpuCount(onlyPhysicalCores: true), 1, expected ?? all);
        }
        finally
        {
            Environment.SetEnvironmentVariable(MaxVariable, before);
        }
    }

    [Fact]
    public void ToString_NJobsAsAskedFor_ReadsLikeJoblibs()
    {
        Assert.Equal("Parallel(n_jobs=3)", Parallel(nJobs: 3).ToString());
        Assert.Equal("Parallel(n_jobs=-1)", Parallel(nJobs: -1).ToString());
        Assert.Equal("Parallel(n_jobs=1)", Parallel().ToString());
    }
}
