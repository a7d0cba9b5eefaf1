using Xunit;

namespace Orleans.Joblib.Tests.Progress;

public sealed class RunPaceTests
{
    [Fact]
    public void Take_SteadyRun_SaysPaceAndTimeLeft()
    {
        var pace = new RunPace();
        for (var second = 1; second <= 60; second++)
        {
            pace.Take(At(second, second * 50, 10_000));
        }

        Assert.Equal(50, pace.CallsPerSecond, 6);
        Assert.Equal(TimeSpan.FromSeconds(140), pace.Remaining);
        Assert.Equal("3,000 of 10,000, 50.0/s, 2:20 left", pace.Line);
    }

    [Fact]
    public void Take_RunThatBecameSlow_ForgetsHowFastItWas()
    {
        var pace = new RunPace();
        for (var second = 1; second <= 20; second++)
        {
            pace.Take(At(second, second * 1000, 30_000));
        }

        for (var second = 21; second <= 40; second++)
        {
            pace.Take(At(second, 20_000 + second - 20, 30_000));
        }

        Assert.Equal(1, pace.CallsPerSecond, 6);
        Assert.Equal(TimeSpan.FromSeconds(9980), pace.Remaining);
        Assert.EndsWith("2:46:20 left", pace.Line);
    }

    [Fact]
    public void Take_FirstReportOfALongRun_SaysThePaceSinceItsStart()
    {
        var pace = new RunPace();
        pace.Take(At(100, 500, 1000));
        pace.Take(At(100, 500, 1000));
        Assert.Equal(5, pace.CallsPerSecond, 6);
        Assert.Equal(TimeSpan.FromSeconds(100), pace.Remaining);
    }

    [Fact]
    public void Take_AnotherRun_StartsAgain()
    {
        var pace = new RunPace();
        for (var second = 1; second <= 20; second++)
        {
            pace.Take(At(second, second * 1000, 20_000));
        }

        pace.Take(At(2, 10, 100));
        Assert.Equal(5, pace.CallsPerSecond, 6);
        Assert.Equal(TimeSpan.FromSeconds(18), pace.Remaining);
    }

    [Theory]
    [InlineData(0, 0, 0, 10L, "0 of 10")]
    [InlineData(2, 0, 0, 10L, "0 of 10")]
    [InlineData(0, 10, 0, 10L, "10 of 10, 0:00 left")]
    [InlineData(10, 5, 0, null, "5, 30.0/min")]
    [InlineData(10, 20, 3, null, "20, 3 failed, 2.0/s")]
    [InlineData(10, 123_456, 1_234, 123_456L, "123,456 of 123,456, 1,234 failed, 12,346/s, 0:00 left")]
    [InlineData(10, 1, 0, 1_000_000L, "1 of 1,000,000, 6.0/min, 115 d 17:46 h left")]
    public void Line_AllThatIsKnown_IsSaid(int seconds, int completed, int failed, long? total, string line)
    {
        var pace = new RunPace();
        pace.Take(new RunProgress(completed, failed, completed, total, TimeSpan.FromSeconds(seconds)));
        Assert.Equal(line, pace.Line);
    }

    private static RunProgress At(int second, long completed, long total) => new(completed, 0, completed, total, TimeSpan.FromSeconds(second));
}
