using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class CpuCountTests
{
    // joblib 1.6: a limit below the machine's logical cores counts as it is. Before the fix affinity and quota were cut to the physical cores again.
    [Theory]
    [InlineData(8, 8, 4, 4)]
    [InlineData(6, 8, 4, 6)]
    [InlineData(1, 8, 4, 1)]
    [InlineData(8, 8, 8, 8)]
    public void Choose_CoresAndLimits_GivesPhysicalCoresOnlyWithoutALimit(int count, int logical, int physical, int expected) =>
        Assert.Equal(expected, CpuCounter.Choose(count, logical, physical));

    [Fact]
    public void CpuCount_OnlyPhysical_IsAtMostAll() => Assert.InRange(Joblib.CpuCount(onlyPhysicalCores: true), 1, Joblib.CpuCount());
}
