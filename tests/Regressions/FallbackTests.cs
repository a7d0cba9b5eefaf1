using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class FallbackTests
{
    // Before the fix the object that fell back counted as serving a loop for ever.
    [Fact]
    public void Run_OneObjectFallsBackInTwoLoops_BothRun()
    {
        var backend = new StandingBack();
        Assert.Equal([1], RunOn(backend, nJobs: 2));
        Assert.Equal([1], RunOn(backend, nJobs: 3));
    }

    [Fact]
    public void Run_BackendFallsBackToItself_SaysThatItServesAnotherLoop() =>
        Assert.Throws<InvalidOperationException>(() => RunOn(new StandingBack { Other = null }, nJobs: 2));

    private static int[] RunOn(StandingBack backend, int nJobs)
    {
        using var parallel = Parallel(nJobs, backend);
        return parallel.Run([Delayed(() => 1)]);
    }

    private sealed class StandingBack : ParallelBackend
    {
        internal Func<ParallelBackend>? Other { get; init; } = static () => new ThreadingBackend();

        public override int EffectiveNJobs(int nJobs) => nJobs;

        public override ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken) =>
            throw new FallbackToBackendException(Other?.Invoke() ?? this);

        public override void Submit(CallBatch batch) => throw new NotSupportedException();
    }
}
