using System.Buffers;
using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>Cuts the sequence into batches, looking ahead as joblib does. Used by one thread at a time: the one that holds its run's turn to dispatch.</summary>
/// <remarks>joblib 1.6: <c>Parallel.dispatch_one_batch</c>.</remarks>
internal sealed class BatchReader<T>(CallSource<T> source, ParallelBackend backend, int nJobs, RunSettings settings, int? maxUnconsumed)
{
    private readonly Queue<CallBatch<T>> _ready = new();
    private long _taken;
    private long _batches;

    /// <summary>Calls that may still be taken before the first has ended.</summary>
    internal long PreDispatchLeft { get; private set; } = settings.PreDispatch.Calls(nJobs);

    /// <summary>Whether the pre-dispatched calls are all out.</summary>
    internal bool PreDispatched => PreDispatchLeft == 0 && _ready.Count == 0;

    /// <summary>Whether batches were read that are not yet out.</summary>
    internal bool HasBatches => _ready.Count > 0;

    /// <summary>Whether nothing is left to dispatch.</summary>
    internal bool Exhausted => source.Exhausted && _ready.Count == 0;

    /// <summary>Calls of the batch that goes out next; 1 while it is not yet read.</summary>
    internal int NextCount => _ready.TryPeek(out var batch) ? batch.Count : 1;

    internal long? Length => source.Length;

    internal bool TryTake(out CallBatch<T> batch) => _ready.TryDequeue(out batch!);

    /// <summary>Reads a batch for every job, or, at the sequence's end, smaller ones so that the jobs finish together.</summary>
    internal async ValueTask ReadAsync(IBatchOwner owner, RunScope scope, bool preDispatching)
    {
        var wanted = Math.Min((long)Size() * nJobs, preDispatching ? PreDispatchLeft : long.MaxValue);
        var size = (int)Math.Max(1, wanted / nJobs);
        var read = new List<ArraySegment<Delayed<T>>>();
        long count = 0;
        long? began = settings.BatchSize.IsAuto ? Stopwatch.GetTimestamp() : null;
        do
        {
            var asked = (int)Math.Min(size, wanted - count);
            var buffer = ArrayPool<Delayed<T>>.Shared.Rent(asked);
            var got = await source.ReadAsync(buffer, asked, began, hasCalls: count > 0).ConfigureAwait(false);
            read.Add(new ArraySegment<Delayed<T>>(buffer, 0, got));
            count += got;
        }
        while (count < wanted && !source.Exhausted && !source.Paused);

        if (preDispatching)
        {
            PreDispatchLeft = source.Exhausted ? 0 : PreDispatchLeft - count;
        }

        if (count < wanted)
        {
            var tail = (int)Math.Max(1, count / (source.Exhausted && !preDispatching ? 10L * nJobs : nJobs));
            read = tail < size ? Recut(read, (int)count, tail) : read;
        }

        foreach (var segment in read)
        {
            if (segment.Count > 0)
            {
                _ready.Enqueue(new CallBatch<T>(owner, scope, _batches++, _taken, segment.Array!, segment.Count));
                _taken += segment.Count;
            }
        }
    }

    internal void Interrupt() => source.Interrupt();

    internal Task Closed => source.Closed;

    internal ValueTask CloseAsync() => source.CloseAsync();

    /// <summary>Gives an ended batch's array back for the next.</summary>
    internal static void Recycle(CallBatch<T> batch)
    {
        if (batch.ReleaseCalls() is { } calls)
        {
            ArrayPool<Delayed<T>>.Shared.Return(calls, clearArray: true);
        }
    }

    private int Size()
    {
        var size = settings.BatchSize.IsAuto ? Math.Clamp(backend.ComputeBatchSize(), 1, BatchSize.MaxCalls) : settings.BatchSize.Calls;
        size = maxUnconsumed is { } most ? Math.Clamp(size, 1, Math.Max(1, most / (2 * nJobs))) : size;
        if (settings.BatchSize.IsAuto)
        {
            backend.Dispatches(size);
        }

        return size;
    }

    // The pieces run on over the joints of what was read: only the last is shorter.
    private static List<ArraySegment<Delayed<T>>> Recut(List<ArraySegment<Delayed<T>>> read, int count, int size)
    {
        var pieces = new List<ArraySegment<Delayed<T>>>();
        var piece = new ArraySegment<Delayed<T>>([]);
        var filled = 0;
        foreach (var segment in read)
        {
            for (var start = 0; start < segment.Count;)
            {
                if (filled == piece.Count)
                {
                    piece = new ArraySegment<Delayed<T>>(ArrayPool<Delayed<T>>.Shared.Rent(size), 0, Math.Min(size, count));
                    pieces.Add(piece);
                    count -= piece.Count;
                    filled = 0;
                }

                var copied = Math.Min(piece.Count - filled, segment.Count - start);
                segment.AsSpan(start, copied).CopyTo(piece.AsSpan(filled));
                start += copied;
                filled += copied;
            }

            ArrayPool<Delayed<T>>.Shared.Return(segment.Array!, clearArray: true);
        }

        return pieces;
    }
}
