using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Hashes and writes arrays in pieces, on a few threads.</summary>
internal static unsafe class SegmentWriter
{
    // Memory, not cores, is what the rest would wait for.
    private const int MostThreads = 4;

    // 16 MiB: less is written before another thread has started.
    private const int PiecesPerThread = 64;

    /// <summary>Hashes pieces [from, to).</summary>
    internal static void Hash(ArrayElements elements, UInt128[] hashes, long seed, int from, int to) => ForEachPiece(elements, from, to, elements.IsPlain, (piece, index) => hashes[index] = ArrayHash.OfPiece(piece, seed));

    /// <summary>Writes a segment of pieces while they are made.</summary>
    /// <exception cref="IOException">The file system is full.</exception>
    internal static void Write(SafeFileHandle file, byte[] head, CopiedPieces pieces, int count)
    {
        RandomAccess.Write(file, head, 0);
        for (var index = 0; index < count; index++)
        {
            RandomAccess.Write(file, pieces.Piece(index), head.Length + ((long)index * ArrayHash.PieceBytes));
        }
    }

    /// <summary>Writes a segment and hashes what it writes: an array that is changed meanwhile gets the hash of what is in the file.</summary>
    /// <exception cref="IOException">The file system is full.</exception>
    internal static void Write(SafeFileHandle file, byte[] head, ArrayElements elements, UInt128[]? hashes, long seed)
    {
        RandomAccess.Write(file, head, 0);
        if (hashes is null)
        {
            var pieces = (int)((elements.ByteLength + ArrayHash.PieceBytes - 1) / ArrayHash.PieceBytes);
            ForEachPiece(elements, 0, pieces, elements.IsPlain, (piece, index) => RandomAccess.Write(file, piece, head.Length + ((long)index * ArrayHash.PieceBytes)));
            return;
        }

        ForEachPiece(elements, 0, hashes.Length, isInPlace: false, (piece, index) =>
        {
            hashes[index] = ArrayHash.OfPiece(piece, seed);
            RandomAccess.Write(file, piece, head.Length + ((long)index * ArrayHash.PieceBytes));
        });
    }

    private static void ForEachPiece(ArrayElements elements, int from, int to, bool isInPlace, PieceAction action)
    {
        var threads = Math.Min(Math.Min(Environment.ProcessorCount, MostThreads), ((to - from) / PiecesPerThread) + 1);
        if (threads <= 1)
        {
            Run(elements, from, to, isInPlace, action);
            return;
        }

        var next = from - 1;
        var failures = new Exception?[threads];
        var others = new Thread[threads - 1];
        for (var i = 0; i < threads; i++)
        {
            var number = i;
            void Work()
            {
                try
                {
                    int piece;
                    while (Volatile.Read(ref failures[0]) is null && (piece = Interlocked.Increment(ref next)) < to)
                    {
                        Run(elements, piece, piece + 1, isInPlace, action);
                    }
                }
                catch (Exception exception)
                {
                    failures[number] = exception;
                    Volatile.Write(ref next, to);
                }
            }

            if (i == threads - 1)
            {
                Work();
            }
            else
            {
                // Not the pool's: it may be full of calls that wait for this very array.
                (others[i] = new Thread(Work) { IsBackground = true, Name = "joblib arrays" }).Start();
            }
        }

        foreach (var other in others)
        {
            other.Join();
        }

        if (failures.FirstOrDefault(failure => failure is not null) is { } first)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        }
    }

    private static void Run(ArrayElements elements, int from, int to, bool isInPlace, PieceAction action)
    {
        if (isInPlace)
        {
            for (var index = from; index < to; index++)
            {
                var offset = (long)index * ArrayHash.PieceBytes;
                action(new ReadOnlySpan<byte>(elements.Origin + offset, (int)Math.Min(ArrayHash.PieceBytes, elements.ByteLength - offset)), index);
            }

            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(ArrayHash.PieceBytes);
        try
        {
            fixed (byte* copy = buffer)
            {
                for (var index = from; index < to; index++)
                {
                    var offset = (long)index * ArrayHash.PieceBytes;
                    var bytes = (int)Math.Min(ArrayHash.PieceBytes, elements.ByteLength - offset);
                    elements.CopyTo(copy, offset, bytes);
                    action(new ReadOnlySpan<byte>(copy, bytes), index);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private delegate void PieceAction(ReadOnlySpan<byte> piece, int index);
}
