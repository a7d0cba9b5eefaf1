using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class FirstRunTests
{
    [Fact]
    public void Run_TheGuidesFirstExample_GivesTheRoots() =>
        Assert.Equal(
            Enumerable.Range(0, 10).Select(i => (double)i),
            Parallel(nJobs: 2).Run(from i in Enumerable.Range(0, 10) select Delayed(Math.Sqrt, (double)(i * i))));
}
