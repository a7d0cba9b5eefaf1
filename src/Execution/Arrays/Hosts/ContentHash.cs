using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Hashes of files that travel between hosts: of their pieces' hashes, which are known in any order while the pieces come.</summary>
internal static class ContentHash
{
    // Memory, not cores, is what the rest would wait for.
    private const int MostThreads = 4;

    internal static int PieceCount(long length) => checked((int)((length + ArrayHash.PieceBytes - 1) / ArrayHash.PieceBytes));

    internal static ArrayContent Of(UInt128[] pieces, long seed, long length)
    {
        var all = ArrayHash.All([], pieces, seed);
        return new ArrayContent((ulong)(all >> 64), (ulong)all, seed, length);
    }

    /// <summary>Of a file that stays as it is meanwhile.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static ArrayContent Of(SafeFileHandle file, long length, long seed)
    {
        var pieces = new UInt128[PieceCount(length)];
        Parallel.For(0, (pieces.Length + 15) / 16, new ParallelOptions { MaxDegreeOfParallelism = Math.Min(Environment.ProcessorCount, MostThreads) }, group =>
        {
            var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(ArrayHash.PieceBytes);
            for (var index = 16 * group; index < Math.Min(pieces.Length, 16 * (group + 1)); index++)
            {
                var offset = (long)index * ArrayHash.PieceBytes;
                var piece = buffer.AsSpan(0, (int)Math.Min(ArrayHash.PieceBytes, length - offset));
                ReadExactly(file, piece, offset);
                pieces[index] = ArrayHash.OfPiece(piece, seed);
            }

            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        });
        return Of(pieces, seed, length);
    }

    internal static void ReadExactly(SafeFileHandle file, Span<byte> into, long offset)
    {
        while (into.Length > 0)
        {
            var read = RandomAccess.Read(file, into, offset);
            if (read == 0)
            {
                throw new EndOfStreamException("The file has become shorter.");
            }

            into = into[read..];
            offset += read;
        }
    }
}
