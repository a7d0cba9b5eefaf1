namespace Orleans.Joblib.Tests;

/// <summary>joblib 1.6's dispatch, written down again from its description (<c>dispatch_one_batch</c>, <c>_start</c>): which batches go out, in which order.</summary>
internal sealed class DispatchReference(int length, int nJobs, Func<int, int> batchSizeAfter)
{
    private readonly Queue<int> _ready = new();
    private readonly List<int> _sizes = [];
    private int _left = length;

    /// <param name="preDispatch">Calls of the first slice; null for all.</param>
    internal List<int> Sizes(int? preDispatch)
    {
        // Pre-dispatch reads from a slice of the sequence, or, with "all", from the whole of it; neither is "the original iterator", so the tail is not cut finer.
        var slice = preDispatch ?? int.MaxValue;
        while (DispatchOne(ref slice, original: false))
        {
        }

        // Then every batch that ends brings one more, until the sequence gives nothing.
        var rest = int.MaxValue;
        for (var ended = 0; preDispatch is not null && ended < _sizes.Count; ended++)
        {
            if (!DispatchOne(ref rest, original: true))
            {
                break;
            }
        }

        return _sizes;
    }

    private bool DispatchOne(ref int slice, bool original)
    {
        if (_ready.Count == 0)
        {
            var bigBatch = batchSizeAfter(_sizes.Count) * nJobs;
            var taken = Math.Min(Math.Min(bigBatch, slice), _left);
            slice -= taken;
            _left -= taken;
            if (taken == 0)
            {
                return false;
            }

            var size = Math.Max(1, original && taken < bigBatch ? taken / (10 * nJobs) : taken / nJobs);
            for (var start = 0; start < taken; start += size)
            {
                _ready.Enqueue(Math.Min(size, taken - start));
            }
        }

        _sizes.Add(_ready.Dequeue());
        return true;
    }
}
