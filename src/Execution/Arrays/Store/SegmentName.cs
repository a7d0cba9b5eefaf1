using System.Buffers;
using System.Globalization;

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

    internal static bool IsOne(ReadOnlySpan<char> fileName) =>
        fileName.Length == Length + Extension.Length && fileName.EndsWith(Extension, StringComparison.Ordinal) && !fileName[..Length].ContainsAnyExcept(Digits);

    public override string ToString() => $"{First:x16}{All:x32}{Extension}";
}
