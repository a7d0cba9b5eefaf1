using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Orleans.Joblib;

/// <summary>What a segment holds, as a file name: a hash of its head and first piece, and one of all of it.</summary>
/// <param name="First">Known before the rest has been read: whether anything like it is there already.</param>
/// <param name="All">Says what it is.</param>
internal readonly record struct SegmentName(ulong First, UInt128 All)
{
    internal const string Extension = ".npy";

    private const int Length = 48;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    internal static string Beginning(ulong first) => first.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>One that says nothing of the content.</summary>
    internal static SegmentName New()
    {
        var bytes = RandomNumberGenerator.GetBytes(sizeof(ulong) + 16);
        return new SegmentName(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(sizeof(ulong))));
    }

    internal static bool IsOne(ReadOnlySpan<char> fileName) =>
        fileName.Length == Length + Extension.Length && fileName.EndsWith(Extension, StringComparison.Ordinal) && !fileName[..Length].ContainsAnyExcept(Digits);

    public override string ToString() => $"{First:x16}{All:x32}{Extension}";
}
