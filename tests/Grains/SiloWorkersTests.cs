using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Joblib.Silo;
using Xunit;

namespace Orleans.Joblib.Tests.Grains;

public sealed class SiloWorkersTests(TwoSilos silos) : IClassFixture<TwoSilos>
{
    [Fact]
    public void Lease_NobodyRenews_ReleasesTheRun()
    {
        var time = new FakeTimeProvider();
        using var workers = Make(time);
        workers.TryReserve(Guid.NewGuid(), 2, TimeSpan.FromSeconds(30), observer: null, innerMaxNumThreads: null, inProcesses: false);
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(1, workers.Status.Runs);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((0, 0), (workers.Status.Runs, workers.Status.Granted));
    }

    [Fact]
    public void Lease_Renewed_KeepsTheRun()
    {
        var time = new FakeTimeProvider();
        using var workers = Make(time);
        var run = Guid.NewGuid();
        workers.TryReserve(run, 2, TimeSpan.FromSeconds(30), observer: null, innerMaxNumThreads: null, inProcesses: false);
        for (var i = 0; i < 10; i++)
        {
            time.Advance(TimeSpan.FromSeconds(20));
            workers.Renew(run);
        }

        Assert.Equal((1, 2), (workers.Status.Runs, workers.Status.Granted));
    }

    [Fact]
    public async Task Dispose_IdlePool_EndsItsThreads()
    {
        var workers = Make(new FakeTimeProvider());
        workers.Dispose();
        await workers.Pool.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, workers.Pool.ThreadCount);
    }

    [Theory]
    [InlineData(0, 1.0, "Slots")]
    [InlineData(4097, 1.0, "Slots")]
    [InlineData(1, 0.0, "SlotsPerCore")]
    [InlineData(1, double.NaN, "SlotsPerCore")]
    public void Options_OutOfRange_AreReportedByName(int slots, double slotsPerCore, string named)
    {
        var result = new SiloWorkerOptionsValidator().Validate(null, new SiloWorkerOptions { Slots = slots, SlotsPerCore = slotsPerCore });
        Assert.Contains(result.Failures!, failure => failure.Contains($"SiloWorkerOptions.{named} "));
    }

    [Fact]
    public void Options_SeveralFaults_AreReportedTogether() =>
        Assert.Equal(4, new SiloWorkerOptionsValidator().Validate(null, new SiloWorkerOptions { Slots = 0, SlotsPerCore = 0, Workers = (WorkerKind)2, IdleWorkerTimeout = TimeSpan.FromSeconds(-1) }).Failures!.Count());

    private SiloWorkers Make(FakeTimeProvider time)
    {
        var silo = silos.Services;
        return new(
            Options.Create(new SiloWorkerOptions { Slots = 2 }),
            silo.GetRequiredService<SiloCodecs>(),
            silo.GetRequiredService<SiloProcesses>(),
            silo.GetRequiredService<SiloArrays>(),
            new TaskStream(time),
            silo.GetRequiredService<MembershipView>(),
            silos.Grains,
            time,
            NullLogger<SiloWorkers>.Instance);
    }
}
