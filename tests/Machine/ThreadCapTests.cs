using System.Diagnostics;
using Orleans.Joblib.Tests.Remote;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Machine;

/// <summary>However a call starts threads, all calls of a run together never have more at work than there are cores. Proven by the times that every thread says it worked.</summary>
/// <remarks>Timestamps are the machine's: those of different processes compare. A backend is one more line in <see cref="Backends"/>.</remarks>
public sealed class ThreadCapTests : IClassFixture<ThreadCapTests.Local>, IClassFixture<ThreadCapTests.Remote>
{
    private const string LocalName = "tests-caps-local";
    private const string RemoteName = "tests-caps-remote";
    private const int Calls = 12;

    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(4);

    public static TheoryData<string> Backends => ["threading", LocalName, RemoteName];

    [Theory]
    [MemberData(nameof(Backends))]
    public void ParallelFor_InCallsOfEveryWorker_NeverUsesMoreThreadsThanCores(string backend) =>
        AssertAtMost(CpuCount(), Parallel(nJobs: CpuCount(), backend: backend, batchSize: 1).Run(Enumerable.Range(0, Calls).Select(_ => Delayed(() =>
        {
            var spans = new Spans();
            System.Threading.Tasks.Parallel.For(0, 4, _ => spans.Work());
            System.Threading.Tasks.Parallel.ForEach(Enumerable.Range(0, 4), _ => spans.Work());
            return spans.ToArray();
        }))));

    [Theory]
    [MemberData(nameof(Backends))]
    public void ParallelFor_Nested_NeverUsesMoreThreadsThanCores(string backend) =>
        AssertAtMost(CpuCount(), Parallel(nJobs: CpuCount(), backend: backend, batchSize: 1).Run(Enumerable.Range(0, Calls).Select(_ => Delayed(() =>
        {
            var spans = new Spans();
            System.Threading.Tasks.Parallel.For(0, 2, _ => System.Threading.Tasks.Parallel.For(0, 2, _ => spans.Work()));
            return spans.ToArray();
        }))));

    // What a call believes it has: the same word in threads, silos and worker processes.
    [Theory]
    [MemberData(nameof(Backends))]
    public void Threads_AsManyAsACallBelievesItHasCores_NeverExceedTheCores(string backend) =>
        AssertAtMost(CpuCount(), Parallel(nJobs: CpuCount(), backend: backend, batchSize: 1).Run(Enumerable.Range(0, Calls).Select(_ => Delayed(() =>
        {
            var spans = new Spans();
            Thread[] threads = [.. Enumerable.Range(0, CpuCount()).Select(_ => new Thread(spans.Work))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            return spans.ToArray();
        }))));

    [Theory]
    [MemberData(nameof(Backends))]
    public void Plinq_ToldTheCallsCores_NeverExceedsTheCores(string backend) =>
        AssertAtMost(CpuCount(), Parallel(nJobs: CpuCount(), backend: backend, batchSize: 1).Run(Enumerable.Range(0, Calls).Select(_ => Delayed(() =>
        {
            var spans = new Spans();
            ParallelEnumerable.Range(0, 4).WithDegreeOfParallelism(CpuCount()).ForAll(_ => spans.Work());
            return spans.ToArray();
        }))));

    [Theory]
    [MemberData(nameof(Backends))]
    public void OpenMp_InCallsOfEveryWorker_NeverUsesMoreThreadsThanCores(string backend)
    {
        Assert.SkipUnless(OpenMp.IsThere, OpenMp.Absent);
        AssertAtMost(CpuCount(), Parallel(nJobs: CpuCount(), backend: backend, batchSize: 1).Run(Enumerable.Range(0, Calls).Select(i => Delayed(() =>
        {
            var spans = new Spans();
            OpenMp.Run(spans.Work);
            return spans.ToArray();
        }))), afterTheFirstOfEachWorker: true);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void InnerMaxNumThreads_Given_IsWhatEachCallHas(string backend)
    {
        Assert.SkipUnless(OpenMp.IsThere, OpenMp.Absent);
        using var config = ParallelConfig(backend, nJobs: 2, innerMaxNumThreads: 3);
        var seen = Parallel(batchSize: 1).Run(Enumerable.Range(0, Calls).Select(_ => Delayed(() =>
        {
            // The first call may be what loads the library: the limit holds from the next on, which this one is after a look.
            OpenMp.Run(() => { });
            NativeThreadPools.LookNow();
            WorkerPool.CurrentThreads!.Refresh(Stopwatch.GetTimestamp());
            var team = 0;
            OpenMp.Run(() => Interlocked.Increment(ref team));
            return (CpuCount(), CallThreads.Current!.Available, team);
        })));
        Assert.All(seen, call => Assert.Equal((3, 3, 3), call));
        Assert.Equal(2, Parallel().Run([.. from i in Enumerable.Range(0, 2) select Delayed(CpuCount, false)]).Length);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void NestedLoops_OverAllCores_GetTheCallsShare(string backend)
    {
        var jobs = Parallel(nJobs: 2, backend: backend, batchSize: 1).Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => (EffectiveNJobs(-1), CpuCount()))));
        Assert.All(jobs, call => Assert.Equal(call.Item2, call.Item1));
    }

    [Fact]
    public void CpuCount_OutsideOfCalls_IsNoCallsShare()
    {
        using (ParallelConfig("threading", innerMaxNumThreads: 7))
        {
            Parallel(nJobs: 2).Run([.. from i in Enumerable.Range(0, 10) select Delayed(() => i)]);
        }

        Assert.Equal(CpuCounter.Count(onlyPhysicalCores: false), CpuCount());
    }

    private static void AssertAtMost(int threads, (long Start, long End, int Worker)[][] calls, bool afterTheFirstOfEachWorker = false)
    {
        Assert.Equal(Calls, calls.Length);
        Assert.All(calls, Assert.NotEmpty);
        var spans = calls.SelectMany(call => call).ToArray();
        if (afterTheFirstOfEachWorker)
        {
            // A call that loads a library has it before anybody can limit it: what counts begins when each worker has made one call.
            var begin = calls.GroupBy(call => call[0].Worker).Max(worker => worker.Min(call => call.Max(span => span.End)));
            var first = calls.Where(call => call.Min(span => span.Start) <= begin).SelectMany(call => call).ToHashSet();
            spans = [.. spans.Where(span => !first.Contains(span))];
        }

        Assert.InRange(MostAtOnce(spans), 0, threads);
    }

    private static int MostAtOnce((long Start, long End, int Worker)[] spans)
    {
        var most = 0;
        var now = 0;
        foreach (var (_, change) in spans.SelectMany(span => new[] { (At: span.Start, Change: 1), (At: span.End, Change: -1) }).OrderBy(e => e.At).ThenBy(e => e.Change))
        {
            most = Math.Max(most, now += change);
        }

        return most;
    }

    /// <summary>When each thread of a call worked.</summary>
    private sealed class Spans
    {
        private readonly int _worker = (Environment.ProcessId * 10_000) + Environment.CurrentManagedThreadId;
        private readonly List<(long Start, long End, int Worker)> _spans = [];

        internal void Work()
        {
            var start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < ThreadCapTests.Work)
            {
                Thread.SpinWait(100);
            }

            var end = Stopwatch.GetTimestamp();
            lock (_spans)
            {
                _spans.Add((start, end, _worker));
            }
        }

        internal (long Start, long End, int Worker)[] ToArray() => [.. _spans];
    }

    public sealed class Local() : ClusterFixture(LocalName, silos: 1, slotsPerSilo: Environment.ProcessorCount);

    public sealed class Remote() : RemoteClusterFixture(RemoteName, silos: 1, slotsPerSilo: Environment.ProcessorCount);
}
