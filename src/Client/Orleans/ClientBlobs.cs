using System.Collections.Concurrent;

namespace Orleans.Joblib;

/// <summary>This process's arrays in blob storage, by what names the storage: all runs share them.</summary>
internal static class ClientBlobs
{
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(3);

    private static readonly ConcurrentDictionary<string, Lazy<SharedBlobs>> Known = new(StringComparer.Ordinal);

    static ClientBlobs() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => Task.Run(CloseAsync).Wait(LongestGoodbye);

    /// <param name="setting">What a run's options say; null for the environment's.</param>
    /// <returns>Null when neither names one.</returns>
    /// <exception cref="ArgumentException">It names none.</exception>
    internal static SharedBlobs? Of(string? setting)
    {
        setting ??= Environment.GetEnvironmentVariable(BlobStorage.Variable);
        return string.IsNullOrWhiteSpace(setting) ? null : Known.GetOrAdd(setting, static setting => new Lazy<SharedBlobs>(() => new SharedBlobs(BlobStorage.Parse(setting), Joblib.Logger))).Value;
    }

    private static async Task CloseAsync() => await Task.WhenAll(Known.Values.Where(blobs => blobs.IsValueCreated).Select(blobs => blobs.Value.DisposeAsync().AsTask())).ConfigureAwait(false);
}
