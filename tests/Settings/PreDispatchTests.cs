using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class PreDispatchTests
{
    [Theory]
    [InlineData("2*n_jobs", 4, 8)]
    [InlineData("2 * n_jobs", 4, 8)]
    [InlineData("2*nJobs", 4, 8)]
    [InlineData("n_jobs", 1, 1)]
    [InlineData("1.5*n_jobs", 3, 4)]
    [InlineData("n_jobs // 2 + 1", 5, 3)]
    [InlineData("n_jobs**2", 12, 144)]
    [InlineData("n_jobs+n_jobs", 7, 14)]
    [InlineData("7", 3, 7)]
    [InlineData("1.999", 3, 1)]
    [InlineData("6/(n_jobs-1)", 3, 3)]
    public void Calls_Expression_IsCutToAWholeNumber(string expression, int nJobs, long expected) =>
        Assert.Equal(expected, PreDispatch.FromString(expression).Calls(nJobs));

    [Theory]
    [InlineData("")]
    [InlineData("all ")]
    [InlineData("All")]
    [InlineData("2*n_job")]
    [InlineData("2*x")]
    [InlineData("2**")]
    [InlineData("n_jobs/0")]
    [InlineData("__import__('os')")]
    [InlineData("1000001")]
    [InlineData("n_jobs+1000000+0+0+0+0+0+0+0+0")]
    public void FromString_NoExpression_ThrowsAtOnce(string expression)
    {
        var thrown = Assert.Throws<ArgumentException>(() => PreDispatch.FromString(expression));
        Assert.Contains("preDispatch", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n_jobs-2", 2, "0")]
    [InlineData("n_jobs-4", 2, "-2")]
    [InlineData("n_jobs/4", 2, "0.5")]
    [InlineData("6/(n_jobs-1)", 1, "zero")]
    public void Calls_LessThanOneCall_ThrowsNamingTheValue(string expression, int nJobs, string value)
    {
        var thrown = Assert.Throws<ArgumentException>(() => PreDispatch.FromString(expression).Calls(nJobs));
        Assert.Contains(value, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void FromInt32_LessThanOne_Throws(int calls) => Assert.Throws<ArgumentOutOfRangeException>(() => PreDispatch.FromInt32(calls));

    [Fact]
    public void Calls_DefaultOfEitherKind_IsTwiceTheJobs()
    {
        Assert.Equal(10, PreDispatch.Default.Calls(5));
        Assert.Equal(10, default(PreDispatch).Calls(5));
    }

    [Fact]
    public void Calls_All_IsWithoutBound()
    {
        PreDispatch all = "all";
        Assert.True(all.IsAll);
        Assert.Equal(PreDispatch.All, all);
        Assert.Equal(long.MaxValue, all.Calls(2));
        Assert.Equal(17, ((PreDispatch)17).Calls(2));
    }
}
