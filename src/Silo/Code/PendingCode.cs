namespace Orleans.Joblib.Silo;

/// <summary>The pieces of a code set that is not complete yet. Guarded by <see cref="CodeContexts"/>.</summary>
internal sealed class PendingCode : IDisposable
{
    internal Dictionary<CodeHash, CodeBlob> Blobs { get; } = [];

    internal long UsedAt { get; set; }

    public void Dispose()
    {
        foreach (var blob in Blobs.Values)
        {
            blob.Dispose();
        }
    }
}
