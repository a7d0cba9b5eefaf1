using System.Collections.Concurrent;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>A sequence that gets its next calls from whoever reads the stream: a crawler, a work list.</summary>
public sealed class StreamFedByItsReaderTests
{
    // Before the fix the reader waited in the sequence for the ninth call, which only he adds, while seven results were there.
    [Theory]
    [InlineData(ReturnAs.Generator)]
    [InlineData(ReturnAs.GeneratorUnordered)]
    public void Stream_ReaderTakesEveryResultBeforeHeAddsACall_GetsThemAll(ReturnAs order)
    {
        const int Window = 8;
        using var calls = new BlockingCollection<Delayed<int>>();
        using var parallel = Parallel(nJobs: 2, batchSize: 1);
        Add(0, Window);
        using var results = parallel.Stream(calls.GetConsumingEnumerable(), order).GetEnumerator();
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(Enumerable.Range(round * Window, Window), Take(Window).Order());
            Add((round + 1) * Window, Window);
        }

        calls.CompleteAdding();
        Assert.Equal(Enumerable.Range(3 * Window, Window), Take(Window).Order());
        Assert.False(Patience.Within(results.MoveNext));

        void Add(int first, int count)
        {
            foreach (var i in Enumerable.Range(first, count))
            {
                calls.Add(Delayed(() => i));
            }
        }

        int[] Take(int count) => Patience.Within(() => Enumerable.Range(0, count).Select(_ => results.MoveNext() ? results.Current : -1).ToArray());
    }

    [Fact]
    public async Task StreamAsync_ReaderTakesEveryResultBeforeHeAddsACall_GetsThemAll()
    {
        const int Window = 8;
        using var calls = new BlockingCollection<Delayed<int>>();
        await using var parallel = Parallel(nJobs: 2, batchSize: 1);
        foreach (var i in Enumerable.Range(0, Window))
        {
            calls.Add(Delayed(() => i), TestContext.Current.CancellationToken);
        }

        var read = Task.Run(
            async () =>
            {
                var results = new List<int>();
                await foreach (var result in parallel.StreamAsync(calls.GetConsumingEnumerable()))
                {
                    results.Add(result);
                    if (results.Count == Window)
                    {
                        calls.Add(Delayed(() => Window));
                        calls.CompleteAdding();
                    }
                }

                return results;
            },
            TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, Window + 1), await read.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));
    }
}
