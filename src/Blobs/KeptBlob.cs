namespace Orleans.Joblib;

/// <summary>A use of one of this process's arrays in blob storage: it stays there until its last use is released. Thread-safe.</summary>
internal sealed class KeptBlob(SharedBlobs blobs, SharedBlobs.Entry entry, string name)
{
    private int _isReleased;

    /// <summary>The blob's name.</summary>
    internal string Name => name;

    /// <summary>Says that the blob has vanished: who wants the array from now on has it stored anew.</summary>
    internal void Vanished() => blobs.Forget(entry);

    /// <summary>Ends the use. Never throws; a second time does nothing.</summary>
    internal Task ReleaseAsync() => Interlocked.Exchange(ref _isReleased, 1) == 0 ? blobs.ReleaseAsync(entry) : Task.CompletedTask;
}
