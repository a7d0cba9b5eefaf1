using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Fact]
    public void Run_WhileTheInstanceRuns_ThrowsAtOnce()
    {
        using var meeting = new Rendezvous();
        using var parallel = NewParallel();
        var running = Task.Run(() => Patience.Within(() => parallel.Run([Delayed(() =>
        {
            meeting.Set("started");
            meeting.Await("release", "the second run to be refused");
            return 1;
        })])));
        meeting.Await("started", "the call to start");
        Assert.IsType<InvalidOperationException>(Patience.ThrownBy(() => parallel.Run(Squares(3))));
        meeting.Set("release");
        Assert.Equal([1], Patience.Await(running, "the first run"));
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Fact]
    public async Task Run_WhileAStreamOfTheInstanceIsOpen_ThrowsAtOnce()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        await using var parallel = NewParallel(batchSize: 1);
        using (var results = parallel.Stream(Squares(int.MaxValue)).GetEnumerator())
        {
            Assert.True(Patience.Within(results.MoveNext));
            Assert.IsType<InvalidOperationException>(Patience.ThrownBy(() => parallel.Run(Squares(3))));
            await Assert.ThrowsAsync<InvalidOperationException>(() => parallel.RunAsync(Squares(3)).WaitAsync(Patience.Limit));
        }

        Assert.Equal(new[] { 0, 1, 4 }, await parallel.RunAsync(Squares(3)).WaitAsync(Patience.Limit));
    }

    [Fact]
    public void Run_TwoInstancesAtOnce_BothWork()
    {
        using var first = NewParallel();
        using var second = NewParallel();
        var results = Patience.Await(Task.WhenAll(first.RunAsync(Squares(800)), second.RunAsync(Squares(900))), "two runs");
        Assert.Equal(Enumerable.Range(0, 800).Select(Square), results[0]);
        Assert.Equal(Enumerable.Range(0, 900).Select(Square), results[1]);
    }

    [Fact]
    public async Task Run_AfterDispose_Throws()
    {
        var parallel = NewParallel();
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
        await parallel.DisposeAsync().AsTask().WaitAsync(Patience.Limit);
        Patience.Within(parallel.Dispose);
        Assert.IsType<ObjectDisposedException>(Patience.ThrownBy(() => parallel.Run(Squares(3))));
    }

    [Fact]
    public void Dispose_NeverRun_IsFine() => Patience.Within(() => NewParallel().Dispose());

    [Fact]
    public void Dispose_WhileItRuns_EndsTheRun()
    {
        if (Traits.RunsCallsHere)
        {
            return; // The run is its caller's own thread: there is nothing of the backend's to end.
        }

        using var meeting = new Rendezvous();
        var parallel = NewParallel(batchSize: 1);
        var running = Task.Run(() => Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 100).Select(i => Delayed(token =>
        {
            meeting.Set("started");
            Patience.AwaitCancelled(token);
            return i;
        })))));
        meeting.Await("started", "a call to start");
        Patience.Within(parallel.Dispose);
        Assert.IsAssignableFrom<OperationCanceledException>(Patience.Await(running, "the run to end with its Parallel"));
    }

    [Fact]
    public void Require_SharedMemory_IsRefusedWithoutIt()
    {
        if (Traits.SupportsSharedMemory)
        {
            using var parallel = NewParallel(require: Require.SharedMemory);
            Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
        }
        else
        {
            Assert.Throws<ArgumentException>(() => NewParallel(require: Require.SharedMemory));
        }
    }
}
