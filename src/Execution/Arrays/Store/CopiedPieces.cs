namespace Orleans.Joblib;

/// <summary>A copy of an array and the hashes of its pieces, made piece by piece in order by whoever has time: a thread of the pool, and the one that waits for them. A change of the array meanwhile is in both or in neither.</summary>
/// <remarks>One that comes late finds all pieces taken, and touches neither array nor copy: they may be gone when the last piece is ready.</remarks>
internal sealed unsafe class CopiedPieces(ArrayElements elements, byte* copy, UInt128[] hashes, long seed) : IThreadPoolWorkItem
{
    private readonly bool[] _isReady = new bool[hashes.Length];
    private int _next;

    public void Execute()
    {
        while (TryMakeNext())
        {
        }
    }

    /// <summary>Has the pool help.</summary>
    internal void Begin()
    {
        if (hashes.Length > 1 && Environment.ProcessorCount > 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    internal ReadOnlySpan<byte> Piece(int index)
    {
        var spin = default(SpinWait);
        while (!Volatile.Read(ref _isReady[index]))
        {
            if (!TryMakeNext())
            {
                // It is being made.
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }

        var offset = (long)index * ArrayHash.PieceBytes;
        return new ReadOnlySpan<byte>(copy + offset, BytesAt(offset));
    }

    internal void Complete()
    {
        for (var index = 0; index < hashes.Length; index++)
        {
            Piece(index);
        }
    }

    private bool TryMakeNext()
    {
        var index = Interlocked.Increment(ref _next) - 1;
        if (index >= hashes.Length)
        {
            return false;
        }

        var offset = (long)index * ArrayHash.PieceBytes;
        var bytes = BytesAt(offset);
        elements.CopyTo(copy + offset, offset, bytes);
        hashes[index] = ArrayHash.OfPiece(new ReadOnlySpan<byte>(copy + offset, bytes), seed);
        Volatile.Write(ref _isReady[index], true);
        return true;
    }

    private int BytesAt(long offset) => (int)Math.Min(ArrayHash.PieceBytes, elements.ByteLength - offset);
}
