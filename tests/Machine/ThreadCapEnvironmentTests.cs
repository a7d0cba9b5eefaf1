using Xunit;

namespace Orleans.Joblib.Tests.Machine;

public sealed class ThreadCapEnvironmentTests
{
    private static readonly string[] Numbers =
    [
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS",
        "DOTNET_PROCESSOR_COUNT",
    ];

    // joblib 1.6: TP:test_parallel_thread_limit.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    public void Of_NothingSaid_IsCoresByJobsAndNeverBelowOne(int nJobs)
    {
        var variables = ThreadCapEnvironment.Of(nJobs, null, Environment());

        Assert.All(Numbers, name => Assert.Equal(Math.Max(Joblib.CpuCount() / nJobs, 1).ToString(), variables[name]));
        Assert.Equal("1", variables["ENABLE_IPC"]);
    }

    [Fact]
    public void Of_CallersEnvironment_WinsOverTheCap()
    {
        var variables = ThreadCapEnvironment.Of(2, null, Environment(("OMP_NUM_THREADS", "7"), ("ENABLE_IPC", "0"), ("DOTNET_GCHeapCount", "C")));

        Assert.Equal("7", variables["OMP_NUM_THREADS"]);
        Assert.Equal("0", variables["ENABLE_IPC"]);
        Assert.Equal("C", variables["DOTNET_GCHeapCount"]);
        Assert.Equal(Math.Max(Joblib.CpuCount() / 2, 1).ToString(), variables["OPENBLAS_NUM_THREADS"]);
    }

    [Fact]
    public void Of_InnerMaxNumThreads_WinsOverTheCallersEnvironment()
    {
        var variables = ThreadCapEnvironment.Of(2, 18, Environment(("OMP_NUM_THREADS", "7")));

        Assert.All(Numbers, name => Assert.Equal("18", variables[name]));
        Assert.Equal("12", variables["DOTNET_GCHeapCount"]);
    }

    [Fact]
    public void Of_InsideAWorker_DoesNotTakeTheWorkersOwnForTheCallers()
    {
        var outer = ThreadCapEnvironment.Of(1, 6, Environment(("MKL_NUM_THREADS", "3")));
        var inner = ThreadCapEnvironment.Of(1, 2, outer.GetValueOrDefault);

        Assert.All(Numbers, name => Assert.Equal("2", inner[name]));
        Assert.Equal("2", inner["DOTNET_GCHeapCount"]);
    }

    private static Func<string, string?> Environment(params (string Name, string Value)[] variables) =>
        variables.ToDictionary(variable => variable.Name, variable => variable.Value).GetValueOrDefault;
}
