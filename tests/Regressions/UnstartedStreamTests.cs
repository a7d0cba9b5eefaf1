using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>One-job streams that are left before their first result.</summary>
public sealed class UnstartedStreamTests
{
    // Before the fix the enumerator stayed open for ever: an iterator that was not begun has nothing to dispose, and the finalizer was off.
    [Fact]
    public async Task Dispose_OneJobStreamNobodyBegan_ClosesTheSequence()
    {
        using var parallel = Parallel(nJobs: 1);
        var sequence = new CountedSequence<int>([Delayed(() => 1)]);
        Assert.Empty(Enumerable.Empty<int>().Zip(parallel.Stream((IEnumerable<Delayed<int>>)sequence)));
        Assert.Equal((1, 1), (sequence.Opened, sequence.Closed));

        sequence = new CountedSequence<int>([Delayed(() => 1)]);
        await parallel.StreamAsync((IAsyncEnumerable<Delayed<int>>)sequence).GetAsyncEnumerator(TestContext.Current.CancellationToken).DisposeAsync();
        Assert.Equal((1, 1), (sequence.Opened, sequence.Closed));
    }

    // Before the fix its sequence stayed open.
    [Fact]
    public void MoveNext_OneJobStreamWhileTheInstanceRuns_ClosesItsSequenceAndLeavesTheInstanceToTheOther()
    {
        using var parallel = Parallel(nJobs: 1);
        using var running = parallel.Stream(Enumerable.Range(0, 3).Select(i => Delayed(() => i))).GetEnumerator();
        var sequence = new CountedSequence<int>([Delayed(() => 1)]);
        using var refused = parallel.Stream((IEnumerable<Delayed<int>>)sequence).GetEnumerator();
        Assert.True(running.MoveNext());
        Assert.Throws<InvalidOperationException>(() => refused.MoveNext());
        Assert.Equal((1, 1), (sequence.Opened, sequence.Closed));
        refused.Dispose();
        Assert.Throws<InvalidOperationException>(() => parallel.Run([Delayed(() => 1)]));
        Assert.True(running.MoveNext());
        Assert.Equal(1, running.Current);
    }
}
