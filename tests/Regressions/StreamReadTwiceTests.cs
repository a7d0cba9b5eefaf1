using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class StreamReadTwiceTests
{
    // Before the fix a sequential stream went on where its first reader had left it.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Stream_ReadTwice_Throws(int nJobs)
    {
        using var parallel = Parallel(nJobs);
        var stream = parallel.Stream(Enumerable.Range(0, 5).Select(i => Delayed(() => i)).ToList());
        Assert.Equal([0, 1], stream.Take(2));
        Assert.Throws<InvalidOperationException>(() => stream.Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task StreamAsync_ReadTwice_Throws(int nJobs)
    {
        using var parallel = Parallel(nJobs);
        var stream = parallel.StreamAsync(Enumerable.Range(0, 5).Select(i => Delayed(() => i)).ToList());
        await foreach (var result in stream)
        {
            Assert.Equal(0, result);
            break;
        }

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.CountAsync(TestContext.Current.CancellationToken));
    }
}
