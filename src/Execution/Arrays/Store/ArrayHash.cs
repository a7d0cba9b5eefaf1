using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>The content hash of an array: of its head and of its pieces' hashes, so that pieces can be hashed by several threads and while they are written.</summary>
internal static class ArrayHash
{
    /// <summary>A piece fits into a core's cache: it is read from memory once, for hashing and for writing.</summary>
    internal const int PieceBytes = 256 << 10;

    internal static UInt128 OfPiece(ReadOnlySpan<byte> piece, long seed) => XxHash128.HashToUInt128(piece, seed);

    internal static ulong First(ReadOnlySpan<byte> head, UInt128 firstPiece, long seed) =>
        XxHash3.HashToUInt64(MemoryMarshal.AsBytes<UInt128>([XxHash128.HashToUInt128(head, seed), firstPiece]), seed);

    internal static UInt128 All(ReadOnlySpan<byte> head, UInt128[] pieces, long seed) =>
        XxHash128.HashToUInt128(MemoryMarshal.AsBytes<UInt128>([XxHash128.HashToUInt128(head, seed), XxHash128.HashToUInt128(MemoryMarshal.AsBytes<UInt128>(pieces), seed)]), seed);
}
