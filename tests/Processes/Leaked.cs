namespace Orleans.Joblib.Tests.Processes;

/// <summary>Memory that nobody gives back.</summary>
internal static class Leaked
{
    private static readonly List<byte[]> Kept = [];

    internal static void Keep(int bytes)
    {
        var block = new byte[bytes];
        block.AsSpan().Fill(1);
        Kept.Add(block);
    }
}
