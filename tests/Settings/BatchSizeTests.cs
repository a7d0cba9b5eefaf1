using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class BatchSizeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1 << 20)]
    public void FromInt32_InRange_IsKept(int calls)
    {
        BatchSize size = calls;
        Assert.False(size.IsAuto);
        Assert.Equal(calls, size.Calls);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData((1 << 20) + 1)]
    public void FromInt32_OutOfRange_ThrowsNamingTheValue(int calls)
    {
        var thrown = Assert.Throws<ArgumentOutOfRangeException>(() => BatchSize.FromInt32(calls));
        Assert.Contains($"'{calls}'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromString_Auto_IsTheDefault()
    {
        BatchSize size = "auto";
        Assert.True(size.IsAuto);
        Assert.Equal(default, size);
        Assert.Equal(BatchSize.Auto, size);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Auto")]
    [InlineData("8")]
    public void FromString_AnythingElse_Throws(string text) => Assert.Throws<ArgumentException>(() => BatchSize.FromString(text));
}
