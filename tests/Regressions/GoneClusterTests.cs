using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class GoneClusterTests
{
    // Before the fix the client's own exception came through: ObjectDisposedException, and none of it said what to do.
    [Theory]
    [InlineData(2)]
    [InlineData(-1)]
    [InlineData(-2)]
    public async Task Run_ClusterIsDisposed_SaysThatItDidNotAnswer(int nJobs)
    {
        var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2, cancellationToken: TestContext.Current.CancellationToken);
        var backend = new OrleansBackend(cluster.Client);
        await cluster.DisposeAsync();
        var thrown = Assert.Throws<JoblibException>(() => Parallel(nJobs, backend).Run([Delayed(() => 1)]));
        Assert.Equal("docs/errors.md#cluster-not-reached", thrown.HelpLink);
    }
}
