namespace Orleans.Joblib;

/// <summary>The head of a segment: one of a <c>.npy</c> file, filled up so that elements lie in its pages as they do in a large array of .NET.</summary>
internal static class SegmentHead
{
    internal const int PageBytes = 4096;

    internal static byte[] Write(NpyType type, ArrayOrder order, ReadOnlySpan<nint> lengths) => NpyHeader.Write(type, order, lengths, PageBytes);
}
