using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>The registry's default, and what is printed about it: one per process, so these run alone.</summary>
[Collection(AloneCollection.Name)]
public sealed class RegistryTests
{
    [Fact]
    public void RegisterParallelBackend_MakeDefault_IsUsedWhereNobodyNamesOne()
    {
        using (new BackendRegistration("tests-default", () => new InlineBackend(), makeDefault: true))
        {
            new ParallelArguments().Resolve(out var backend);
            Assert.IsType<InlineBackend>(backend);
            Assert.Equal([0, 1], Parallel(nJobs: 2).Run(Enumerable.Range(0, 2).Select(i => Delayed(() => i))));

            // The default neither uses threads nor shares memory: hints now choose threads.
            new ParallelArguments { Prefer = Prefer.Threads }.Resolve(out backend);
            Assert.IsType<ThreadingBackend>(backend);
            new ParallelArguments { Require = Require.SharedMemory }.Resolve(out backend);
            Assert.IsType<ThreadingBackend>(backend);
            new ParallelArguments { Prefer = Prefer.Processes }.Resolve(out backend);
            Assert.IsType<InlineBackend>(backend);
        }

        new ParallelArguments().Resolve(out var standard);
        Assert.IsType<ThreadingBackend>(standard);
        Assert.Throws<ArgumentException>(() => Parallel(backend: "tests-default"));
    }

    [Fact]
    public void RegisterParallelBackend_SameNameAgain_Replaces()
    {
        using var first = new BackendRegistration("tests-replaced", () => new InlineBackend());
        using var second = new BackendRegistration("tests-replaced", () => new ThreadPoolBackend());
        first.Dispose();
        new ParallelArguments { Backend = "tests-replaced" }.Resolve(out var backend);
        Assert.IsType<ThreadPoolBackend>(backend);
    }

    [Fact]
    public void RegisterParallelBackend_WithoutNameOrFactory_Throws()
    {
        Assert.Throws<ArgumentException>(() => RegisterParallelBackend(" ", () => new InlineBackend()));
        Assert.Throws<ArgumentNullException>(() => RegisterParallelBackend(null!, () => new InlineBackend()));
        Assert.Throws<ArgumentNullException>(() => RegisterParallelBackend("tests-none", null!));
    }

    [Fact]
    public void RegisterParallelBackend_FactoryReturnsNull_ThrowsNamingTheBackend()
    {
        using var registration = new BackendRegistration("tests-null", () => null!);
        Assert.Contains("'tests-null'", Assert.Throws<InvalidOperationException>(() => Parallel(backend: "tests-null")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(9, "")]
    [InlineData(10, "Using ThreadingBackend as joblib backend instead of InlineBackend as the latter does not provide shared memory semantics.\n")]
    public void Require_TurnsToThreads_SaysSoFromVerboseTen(int verbose, string expected)
    {
        using var console = new CapturedConsole();
        using var config = ParallelConfig("tests-inline");
        Parallel(require: Require.SharedMemory, verbose: verbose).Dispose();
        Assert.Equal((expected, ""), (console.Out, console.Error));
    }
}
