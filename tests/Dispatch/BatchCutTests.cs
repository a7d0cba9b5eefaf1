using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Which batches go out: joblib's look-ahead and its finer cut of the tail, batch for batch.</summary>
public sealed class BatchCutTests
{
    [Theory]
    [InlineData(10, 2, "4", 1, "1 1 1 1 1 1 1 1 1 1")]
    [InlineData(10, 2, "4", 3, "2 2 3 3")]
    [InlineData(20, 2, "all", 3, "3 3 3 3 3 3 1 1")]
    [InlineData(20, 2, "all", 4, "4 4 4 4 2 2")]
    [InlineData(20, 2, "20", 4, "4 4 4 4 2 2")]
    [InlineData(3, 2, "all", 10, "1 1 1")]
    [InlineData(7, 3, "all", 10, "2 2 2 1")]
    [InlineData(1, 4, "all", 10, "1")]
    [InlineData(0, 4, "all", 10, "")]
    [InlineData(30, 2, "2*n_jobs", 5, "2 2 5 5 5 5 1 1 1 1 1 1")]
    [InlineData(100, 2, "2*n_jobs", 64, "2 2 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4")]
    public void Run_FixedBatchSize_CutsAsJoblib(int length, int nJobs, string preDispatch, int batchSize, string expected)
    {
        Assert.Equal(expected, string.Join(" ", new DispatchReference(length, nJobs, _ => batchSize).Sizes(Slice(preDispatch, nJobs))));
        Assert.Equal(expected, string.Join(" ", Dispatched(length, nJobs, preDispatch, batchSize, _ => batchSize)));
    }

    [Theory]
    [InlineData(65, 2, "1", 40)]
    [InlineData(130, 2, "4", 64)]
    [InlineData(333, 3, "7", 50)]
    [InlineData(999, 4, "all", 50)]
    [InlineData(1000, 7, "14", 33)]
    [InlineData(64, 16, "2*n_jobs", 3)]
    public void Run_ShortTail_IsCutAsOnePiece(int length, int nJobs, string preDispatch, int batchSize) =>
        Assert.Equal(
            new DispatchReference(length, nJobs, _ => batchSize).Sizes(Slice(preDispatch, nJobs)),
            Dispatched(length, nJobs, preDispatch, batchSize, _ => batchSize));

    [Theory]
    [InlineData(100, 2, "2*n_jobs")]
    [InlineData(300, 3, "10")]
    [InlineData(50, 4, "all")]
    public void Run_AutomaticBatchSizeThatChanges_IsAskedAtEveryReading(int length, int nJobs, string preDispatch)
    {
        static int Size(int dispatched) => 1 + (dispatched / 5);
        Assert.Equal(
            new DispatchReference(length, nJobs, Size).Sizes(Slice(preDispatch, nJobs)),
            Dispatched(length, nJobs, preDispatch, BatchSize.Auto, Size));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-7)]
    [InlineData(int.MinValue)]
    public void Run_BackendAdvisesNoCall_GetsOne(int advice) => Assert.Equal([1, 1, 1], Dispatched(3, 2, "all", BatchSize.Auto, _ => advice));

    [Fact]
    public void Run_BackendAdvisesTooMany_GetsAFairShare() => Assert.Equal([5, 5], Dispatched(10, 2, "all", BatchSize.Auto, _ => int.MaxValue));

    [Fact]
    public void Submit_Batches_AreNumberedInTheSequencesOrder()
    {
        var backend = new ScriptedBackend();
        using var parallel = Parallel(2, backend, preDispatch: "all", batchSize: 4);
        Patience.Within(() => parallel.Run(Enumerable.Range(0, 30).Select(i => Delayed(() => i))));
        long first = 0;
        foreach (var (batch, number) in backend.Batches.Select((batch, number) => (batch, number)))
        {
            Assert.Equal((number, first), (batch.Number, batch.FirstCallIndex));
            first += batch.Count;
        }

        Assert.Equal(30, first);
    }

    /// <summary>The sizes of the batches that a run dispatches when they end one after the other.</summary>
    internal static IReadOnlyList<int> Dispatched(int length, int nJobs, PreDispatch preDispatch, BatchSize batchSize, Func<int, int> sizeAfter)
    {
        var submitted = new Queue<CallBatch>();
        var backend = new ScriptedBackend(nJobs) { Submitting = submitted.Enqueue, Elsewhere = true };
        backend.Sizing = () => sizeAfter(backend.BatchSizes.Count);
        using var parallel = Parallel(-1, backend, preDispatch: preDispatch, batchSize: batchSize);
        var run = parallel.RunAsync(Calls(length));
        while (submitted.TryDequeue(out var batch))
        {
            batch.Execute();
            batch.Complete();
        }

        Assert.Equal(Enumerable.Range(0, length), Patience.Await(run, "a run whose batches have ended"));
        return backend.BatchSizes;
    }

    internal static int? Slice(PreDispatch preDispatch, int nJobs) => preDispatch.IsAll ? null : (int)preDispatch.Calls(nJobs);

    // An iterator: its length is not known beforehand.
    private static IEnumerable<Delayed<int>> Calls(int length)
    {
        for (var i = 0; i < length; i++)
        {
            var number = i;
            yield return Delayed(() => number);
        }
    }
}
