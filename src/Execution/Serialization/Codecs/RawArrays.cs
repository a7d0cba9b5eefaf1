namespace Orleans.Joblib;

/// <summary>What raw bytes must not be.</summary>
internal static class RawArrays
{
    /// <summary>A bool of another byte than 0 and 1 is neither true nor false.</summary>
    internal static void Check<T>(ReadOnlySpan<byte> bytes)
    {
        if (typeof(T) == typeof(bool) && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
        {
            throw PayloadReader.Malformed("a truth value is neither");
        }
    }
}
