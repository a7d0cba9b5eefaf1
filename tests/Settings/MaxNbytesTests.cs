using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>joblib's memstr_to_bytes; its IndexError for "" is an ArgumentException here like the rest.</summary>
public sealed class MaxNbytesTests
{
    [Theory]
    [InlineData("1M", 1048576)]
    [InlineData("1.5K", 1536)]
    [InlineData("500K", 512000)]
    [InlineData("2G", 2147483648)]
    [InlineData("0K", 0)]
    [InlineData("0.0001K", 0)]
    [InlineData("1e1K", 10240)]
    public void FromString_NumberAndUnit_IsInPowersOf1024(string text, long bytes) => Assert.Equal(bytes, MaxNbytes.FromString(text).Bytes);

    [Theory]
    [InlineData("")]
    [InlineData("100")]
    [InlineData("1X")]
    [InlineData("1m")]
    [InlineData("M")]
    [InlineData("-1M")]
    [InlineData("nanM")]
    [InlineData("1MB")]
    [InlineData("9999999999G")]
    public void FromString_AnythingElse_ThrowsNamingTheText(string text)
    {
        var thrown = Assert.Throws<ArgumentException>(() => MaxNbytes.FromString(text));
        Assert.Contains($"'{text}'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_NumbersDefaultAndNever_AreKept()
    {
        Assert.Equal(0, ((MaxNbytes)0).Bytes);
        Assert.Equal(5_000_000_000, ((MaxNbytes)5_000_000_000).Bytes);
        Assert.Equal(1 << 20, default(MaxNbytes).Bytes);
        Assert.Equal(1 << 20, MaxNbytes.Default.Bytes);
        Assert.Null(MaxNbytes.Never.Bytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => MaxNbytes.FromInt64(-1));
    }
}
