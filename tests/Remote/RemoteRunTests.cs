using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>What is particular to silos in other processes; what holds for every backend is in the conformance suite.</summary>
public sealed class RemoteRunTests(RemoteRunTests.Cluster cluster) : IClassFixture<RemoteRunTests.Cluster>
{
    private const string BackendName = "tests-remote";

    [Fact]
    public void Run_CapturedAndPassedValues_AreComputedInOtherProcesses()
    {
        var offset = 1000;
        var results = Parallel(nJobs: -1, backend: BackendName).Run(Enumerable.Range(0, 10_000).Select(i => Delayed(() => (i + offset, Environment.ProcessId))));
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => i + offset), results.Select(result => result.Item1));
        Assert.Subset(cluster.Silos.Silos.Select(silo => silo.Id).ToHashSet(), results.Select(result => result.ProcessId).ToHashSet());
    }

    [Fact]
    public void Run_AllSlots_UsesEverySilo()
    {
        var processes = Parallel(nJobs: -1, backend: BackendName, batchSize: 1).Run(Enumerable.Range(0, 40).Select(_ => Delayed(() =>
        {
            Thread.Sleep(20);
            return Environment.ProcessId;
        })));
        Assert.Equal(cluster.Silos.Silos.Select(silo => silo.Id).Order(), processes.Distinct().Order());
    }

    [Fact]
    public void Run_CallThrows_TheExceptionComesBackWithIndexAndRemoteStack()
    {
        var thrown = Assert.Throws<InvalidOperationException>(() =>
            Parallel(nJobs: 2, backend: BackendName).Run(Enumerable.Range(0, 100).Select(i => Delayed(() => i == 37 ? throw new InvalidOperationException("no 37") : i))));
        var failure = thrown.GetCallFailure();
        Assert.NotNull(failure);
        Assert.Equal("no 37", thrown.Message);
        Assert.Equal(37, failure.CallIndex);
        Assert.Contains(nameof(RemoteRunTests), failure.StackTrace);
        Assert.Contains(nameof(RemoteRunTests), thrown.StackTrace);
        Assert.DoesNotContain($"/{Environment.ProcessId}/", failure.Worker);
    }

    [Fact]
    public void Run_CallThatCannotTravel_IsRefusedBeforeAnythingIsSent()
    {
        using var stream = new MemoryStream();
        var thrown = Assert.Throws<CannotTravelException>(() => Parallel(nJobs: 2, backend: BackendName).Run(Enumerable.Range(0, 4).Select(i => Delayed(() => i + stream.Length))));
        Assert.Contains("stream", thrown.Message);
    }

    [Fact]
    public void Run_BigResults_BatchesStayWithinAMessage()
    {
        const int Megabyte = 1 << 20;
        var results = Parallel(nJobs: -1, backend: BackendName).Run(Enumerable.Range(0, 200).Select(i => Delayed(() =>
        {
            var bytes = new byte[Megabyte];
            Array.Fill(bytes, (byte)i);
            return bytes;
        })));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (byte)i), results.Select(bytes => bytes[^1]));
        Assert.All(results, bytes => Assert.Equal(Megabyte, bytes.Length));
    }

    [Fact]
    public void Run_CallTooLargeForAMessage_IsRefusedAndTheRunThatFollowsWorks()
    {
        var large = new byte[JoblibProtocol.MostPayloadBytes];
        var thrown = Assert.Throws<JoblibException>(() => Parallel(nJobs: 2, backend: BackendName, maxNbytes: MaxNbytes.Never).Run([Delayed(() => large.Length)]));
        Assert.EndsWith("payload-too-large", thrown.HelpLink);
        Assert.Equal([1], Parallel(nJobs: 2, backend: BackendName).Run([Delayed(() => 1)]));
    }

    [Fact]
    public void Run_ResultTooLargeForAMessage_FailsByName()
    {
        var length = JoblibProtocol.MostPayloadBytes;
        var thrown = Assert.Throws<JoblibException>(
            () => Parallel(nJobs: 2, backend: BackendName, maxNbytes: MaxNbytes.Never).Run(Enumerable.Range(0, 4).Select(i => Delayed(() => new byte[i == 3 ? length : 1]))));
        Assert.EndsWith("payload-too-large", thrown.HelpLink);
        Assert.Contains("results", thrown.Message);
    }

    public sealed class Cluster() : RemoteClusterFixture(BackendName, silos: 2, slotsPerSilo: 2);
}
