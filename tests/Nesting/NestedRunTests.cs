using Orleans.Joblib.Tests.Remote;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Nesting;

/// <summary>Loops inside calls of loops. The clusters have one worker: whoever waits there for a loop of his own without lending it out waits for ever.</summary>
/// <remarks>A backend is one more line in <see cref="Backends"/>.</remarks>
public sealed class NestedRunTests : IClassFixture<NestedRunTests.Local>, IClassFixture<NestedRunTests.Remote>
{
    private const string LocalName = "tests-nesting-local";
    private const string RemoteName = "tests-nesting-remote";

    public static TheoryData<string> Backends => ["threading", "sequential", "loky", "multiprocessing", LocalName, RemoteName];

    /// <summary>A cluster, and the name that it has inside its own calls.</summary>
    public static TheoryData<string, string> Clusters => new() { { LocalName, LocalName }, { RemoteName, "orleans" } };

    // joblib 1.6: TP:test_nested_parallelism_limit, test_thread_bomb_mitigation. Two jobs on each of five levels would be 62 threads.
    [Theory]
    [MemberData(nameof(Backends))]
    public void Run_FiveLevels_UsesTheThreadsOfTwo(string backend)
    {
        var leaves = Patience.Within(() => Parallel(nJobs: 2, backend: backend).Run(Enumerable.Range(0, 4).Select(_ => Delayed(Descend, 4)))).SelectMany(leaf => leaf).ToArray();
        Assert.Equal(4 * 16, leaves.Length);
        Assert.InRange(leaves.Distinct().Count(), 1, 2 + 4);
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public void Run_ThreeLevelsOnAClusterOfOneWorker_Ends(string outer, string inner)
    {
        var sums = Patience.Within(() => Parallel(backend: outer, batchSize: 1).Run(Enumerable.Range(0, 3).Select(i => Delayed(() => Middle(inner, i)))));
        Assert.Equal(Enumerable.Range(0, 3).Select(i => 3 * (3 * i)), sums);
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public void Run_ClusterByConfigurationInsideACall_Ends(string outer, string inner)
    {
        var sums = Patience.Within(() => Parallel(backend: outer).Run(Enumerable.Range(0, 2).Select(i => Delayed(() =>
        {
            using var config = ParallelConfig(backend: inner, nJobs: -1);
            return (Parallel().Run(Enumerable.Range(0, 4).Select(j => Delayed(() => i + j))).Sum(), EffectiveNJobs());
        }))));
        Assert.Equal([(6, 1), (10, 1)], sums);
    }

    // The loops that need the cluster are not on the silo's worker: on threads of a loop in between, on the thread pool, behind an await.
    [Theory]
    [MemberData(nameof(Clusters))]
    public void Run_ClusterFromThreadsInsideACall_Ends(string outer, string inner)
    {
        var sums = Patience.Within(() => Parallel(backend: outer).Run(Enumerable.Range(0, 2).Select(i => Delayed(() =>
            Parallel(nJobs: 2, backend: "threading").Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => Inner(inner, i)))).Sum()))));
        Assert.Equal([0, 12], sums);
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public void Run_ClusterFromTasksInsideACall_Ends(string outer, string inner)
    {
        var sums = Patience.Within(() => Parallel(backend: outer).Run(Enumerable.Range(0, 2).Select(i => Delayed(async () =>
        {
            await Task.Yield();
            var blocking = Task.Run(() => Inner(inner, i));
            var awaited = await Parallel(backend: inner).RunAsync(Enumerable.Range(0, 3).Select(_ => Delayed(() => i))).ConfigureAwait(false);
            return awaited.Sum() + await blocking;
        }))));
        Assert.Equal([0, 6], sums);
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public void Run_StreamOnTheClusterInsideACall_Ends(string outer, string inner)
    {
        var sums = Patience.Within(() => Parallel(backend: outer).Run(Enumerable.Range(0, 2).Select(i => Delayed(() =>
            Parallel(backend: inner).Stream(Enumerable.Range(0, 100).Select(j => Delayed(() => i * j)), ReturnAs.GeneratorUnordered).Sum()))));
        Assert.Equal([0, 4950], sums);
    }

    // A call that fails inside gives its slot back like one that succeeds: the next run finds a worker.
    [Theory]
    [MemberData(nameof(Clusters))]
    public void Run_InnerLoopFails_TheOuterGetsItsExceptionAndTheSlotIsBack(string outer, string inner)
    {
        Assert.IsType<InvalidTimeZoneException>(Patience.ThrownBy(() => Parallel(backend: outer).Run(Enumerable.Range(0, 2).Select(_ => Delayed(() =>
            Parallel(backend: inner).Run([Delayed(new Func<int>(() => throw new InvalidTimeZoneException("inner")))])[0])))));
        Assert.Equal([0, 1, 4], Patience.Within(() => Parallel(backend: outer).Run(Enumerable.Range(0, 3).Select(i => Delayed(() => i * i)))));
    }

    private static int Middle(string backend, int i) =>
        Parallel(backend: backend, batchSize: 1).Run(Enumerable.Range(0, 3).Select(j => Delayed(() => Inner(backend, i)))).Sum();

    private static int Inner(string backend, int i) =>
        Parallel(backend: backend, batchSize: 1).Run(Enumerable.Range(0, 3).Select(k => Delayed(() => i))).Sum();

    private static (int Process, int Thread)[] Descend(int levels) => levels == 0
        ? [(Environment.ProcessId, Environment.CurrentManagedThreadId)]
        : [.. Parallel(nJobs: 2).Run(Enumerable.Range(0, 2).Select(_ => Delayed(Descend, levels - 1))).SelectMany(leaf => leaf)];

    public sealed class Local() : ClusterFixture(LocalName, silos: 1, slotsPerSilo: 1);

    public sealed class Remote() : RemoteClusterFixture(RemoteName, silos: 1, slotsPerSilo: 1);
}
