using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Explicit argument over surrounding configuration over default, for every option.</summary>
public sealed class PrecedenceTests
{
    private sealed record SomeOptions(int Number) : BackendOptions;

    [Fact]
    public void Resolve_NothingSaid_GivesJoblibsDefaults()
    {
        var settings = new ParallelArguments().Resolve(out var backend);
        Assert.IsType<ThreadingBackend>(backend);
        Assert.Equal(0, settings.Verbose);
        Assert.Null(settings.Timeout);
        Assert.Equal(PreDispatch.Default, settings.PreDispatch);
        Assert.True(settings.BatchSize.IsAuto);
        var configured = settings.Backend.Settings;
        Assert.Equal((1, 0, (string?)null, MaxNbytes.Default, MmapMode.ReadOnly), (configured.NJobs, configured.Verbose, configured.TempFolder, configured.MaxNbytes, configured.MmapMode));
        Assert.Equal((null, null, null, null, false), (configured.Prefer, configured.Require, configured.InnerMaxNumThreads, configured.Options, configured.HasTimeout));
    }

    [Fact]
    public void Resolve_Configuration_BeatsTheDefaults()
    {
        using var config = ParallelConfig("tests-thread-pool", 3, 7, "folder", "2M", MmapMode.CopyOnWrite, Prefer.Threads, Require.SharedMemory, backendOptions: new SomeOptions(1));
        var settings = new ParallelArguments().Resolve(out var backend);
        Assert.IsType<ThreadPoolBackend>(backend);
        Assert.Equal(7, settings.Verbose);
        var configured = settings.Backend.Settings;
        Assert.Equal((3, "folder", (MaxNbytes)"2M", MmapMode.CopyOnWrite), (configured.NJobs, configured.TempFolder, configured.MaxNbytes, configured.MmapMode));
        Assert.Equal((Prefer.Threads, Require.SharedMemory, new SomeOptions(1)), (configured.Prefer, configured.Require, configured.Options));
    }

    [Fact]
    public void Resolve_ExplicitArguments_BeatTheConfigurationEvenWithTheDefaultsValues()
    {
        using var config = ParallelConfig("sequential", 3, 7, "folder", "2M", MmapMode.CopyOnWrite, Prefer.Processes);
        var settings = new ParallelArguments
        {
            Backend = "threading",
            NJobs = 1,
            Verbose = 0,
            TempFolder = "",
            MaxNbytes = MaxNbytes.Default,
            MmapMode = MmapMode.ReadOnly,
            Prefer = Prefer.Threads,
            BackendOptions = new SomeOptions(2),
            Timeout = TimeSpan.FromSeconds(1),
        }.Resolve(out var backend);
        Assert.IsType<ThreadingBackend>(backend);
        Assert.Equal(0, settings.Verbose);
        var configured = settings.Backend.Settings;
        Assert.Equal((1, "", MaxNbytes.Default, MmapMode.ReadOnly), (configured.NJobs, configured.TempFolder, configured.MaxNbytes, configured.MmapMode));
        Assert.Equal((Prefer.Threads, new SomeOptions(2), true), (configured.Prefer, configured.Options, configured.HasTimeout));
    }

    [Fact]
    public void Resolve_ExplicitBackend_KeepsTheConfigurationsNJobsButNotItsBackendsOwnOptions()
    {
        using var config = ParallelConfig("tests-thread-pool", nJobs: 4, backendOptions: new SomeOptions(1));
        var settings = new ParallelArguments { Backend = "threading" }.Resolve(out _);
        Assert.Equal(4, settings.Backend.Settings.NJobs);
        Assert.Null(settings.Backend.Settings.Options);
    }

    [Fact]
    public void ParallelConfig_Nested_InheritsWhatItLeavesOutAndRestoresInTurn()
    {
        using (ParallelConfig("sequential", nJobs: 3, tempFolder: "outer"))
        {
            using (var inner = ParallelConfig(nJobs: 4, verbose: 2))
            {
                var settings = new ParallelArguments().Resolve(out var backend);
                Assert.IsType<SequentialBackend>(backend);
                Assert.Equal((4, "outer", 2), (settings.Backend.Settings.NJobs, settings.Backend.Settings.TempFolder, settings.Verbose));
            }

            Assert.Equal(3, new ParallelArguments().Resolve(out _).Backend.Settings.NJobs);
        }

        Assert.Equal(1, new ParallelArguments().Resolve(out _).Backend.Settings.NJobs);
    }

    [Fact]
    public void ParallelConfig_AnotherBackend_DropsTheOuterBackendsOptions()
    {
        using var outer = ParallelConfig("tests-thread-pool", backendOptions: new SomeOptions(1));
        using var inner = ParallelConfig("threading");
        Assert.Null(new ParallelArguments().Resolve(out _).Backend.Settings.Options);
    }

    [Fact]
    public void ParallelConfig_DisposedTwice_RestoresOnce()
    {
        var outer = ParallelConfig(nJobs: 3);
        outer.Dispose();
        using var other = ParallelConfig(nJobs: 4);
        outer.Dispose();
        Assert.Equal(4, new ParallelArguments().Resolve(out _).Backend.Settings.NJobs);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(50, 0)]
    [InlineData(60, 10)]
    public void Resolve_Verbose_PassesTheBackendWhatExceedsFifty(int verbose, int expected) =>
        Assert.Equal(expected, new ParallelArguments { Verbose = verbose }.Resolve(out _).Backend.Settings.Verbose);
}
