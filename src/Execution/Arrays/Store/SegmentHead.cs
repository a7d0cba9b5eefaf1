namespace Orleans.Joblib;

/// <summary>The head of a segment: one of a <c>.npy</c> file, filled up so that elements lie in the file's pages as they do in a large array of .NET (<see cref="MappedVector"/>).</summary>
internal static class SegmentHead
{
    internal const int PageBytes = 4096;

    /// <summary>Where in a page the elements of a pinned array begin that is larger than a region of the collector (.NET 10, 64 bits). Elsewhere a load copies.</summary>
    private const int ArrayPlaceInPage = 0x38;

    internal static byte[] Write(NpyType type, ArrayOrder order, ReadOnlySpan<nint> lengths)
    {
        var bytes = (long)ArrayLayout.CountOf(lengths, type.Bytes) * type.Bytes;
        return NpyHeader.Write(type, order, lengths, PageBytes, bytes >= MappedVector.LeastBytes ? ArrayPlaceInPage : 0);
    }
}
