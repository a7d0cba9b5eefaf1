using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>prefer and require: which backend is chosen where (joblib's test_backend_hinting_and_constraints).</summary>
public sealed class HintsTests
{
    private const string NotShared = "tests-inline";

    [Theory]
    [InlineData(null, null, "threading")]
    [InlineData(Prefer.Threads, null, "threading")]
    [InlineData(null, Require.SharedMemory, "threading")]
    [InlineData(Prefer.Threads, Require.SharedMemory, "threading")]
    public void Backend_NobodyNamedOne_FollowsTheHints(Prefer? prefer, Require? require, string expected) => Assert.Equal(expected, Chosen(null, prefer, require));

    [Fact]
    public void Backend_ProcessesPreferred_IsLoky() => Assert.Equal("loky", Chosen(null, Prefer.Processes, null));

    [Theory]
    [InlineData("sequential", Prefer.Threads)]
    [InlineData("sequential", Prefer.Processes)]
    [InlineData("threading", Prefer.Processes)]
    [InlineData(NotShared, Prefer.Threads)]
    public void Backend_Explicit_IgnoresPrefer(string backend, Prefer prefer)
    {
        Assert.Equal(backend, Chosen(backend, prefer, null));
        using var config = ParallelConfig(backend);
        Assert.Equal(backend, Chosen(null, prefer, null));
    }

    [Fact]
    public void Require_ExplicitBackendWithoutSharedMemory_Throws()
    {
        var thrown = Assert.Throws<ArgumentException>(() => Parallel(backend: NotShared, require: Require.SharedMemory));
        Assert.Contains("share memory", thrown.Message, StringComparison.Ordinal);
        using var config = ParallelConfig(require: Require.SharedMemory);
        Assert.Throws<ArgumentException>(() => Parallel(backend: NotShared));
    }

    [Fact]
    public void Require_ConfiguredBackendWithoutSharedMemory_TurnsToThreadsWithOneJobUnlessTheLoopSays()
    {
        using var config = ParallelConfig(NotShared, nJobs: 5);
        Assert.Equal((NotShared, 5), Resolved(new ParallelArguments()));
        Assert.Equal(("threading", 1), Resolved(new ParallelArguments { Require = Require.SharedMemory }));
        Assert.Equal(("threading", 3), Resolved(new ParallelArguments { Require = Require.SharedMemory, NJobs = 3 }));
    }

    [Fact]
    public void Require_ConfiguredBackendWithSharedMemory_Stays()
    {
        using var config = ParallelConfig("tests-thread-pool", nJobs: 5, require: Require.SharedMemory);
        Assert.Equal(("tests-thread-pool", 5), Resolved(new ParallelArguments()));
    }

    [Fact]
    public void Hints_ThatContradictEachOther_Throw()
    {
        Assert.Throws<ArgumentException>(() => Parallel(prefer: Prefer.Processes, require: Require.SharedMemory));
        using var config = ParallelConfig(prefer: Prefer.Processes);
        Assert.Throws<ArgumentException>(() => Parallel(require: Require.SharedMemory));
        Assert.Equal("threading", Chosen(null, Prefer.Threads, Require.SharedMemory));
    }

    private static string Chosen(string? backend, Prefer? prefer, Require? require) =>
        Resolved(new ParallelArguments { Backend = backend is null ? (BackendChoice?)null : backend, Prefer = prefer, Require = require }).Backend;

    private static (string Backend, int NJobs) Resolved(ParallelArguments arguments)
    {
        var settings = arguments.Resolve(out _);
        return (settings.Backend.Choice.Name, settings.Backend.Settings.NJobs);
    }
}
