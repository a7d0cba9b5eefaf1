using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib.Silo;

/// <summary>The large results of a batch: in use here until the client has them.</summary>
/// <param name="paths">Their files.</param>
/// <param name="held">What keeps the files in use.</param>
internal sealed class KeptResults(IReadOnlyCollection<string> paths, IReadOnlyList<IDisposable> held)
{
    private readonly List<(SharedBlobs Blobs, ArrayContent Content)> _blobs = [];

    internal IReadOnlyCollection<string> Paths => paths;

    /// <summary>Takes the results of a worker process, which lets go of them after this.</summary>
    /// <returns>Null when one is gone.</returns>
    internal static KeptResults? TryOf(IReadOnlyList<string> paths, ArraySettings settings)
    {
        var files = new List<SafeFileHandle>();
        foreach (var path in paths)
        {
            if (ArrayStore.TryOpen(path, settings) is not { } file)
            {
                files.ForEach(opened => opened.Dispose());
                return null;
            }

            files.Add(file);
        }

        return new KeptResults(paths, files);
    }

    /// <summary>What the client is told of them: where it fetches each from.</summary>
    /// <exception cref="JoblibException">The blob storage does not take them.</exception>
    internal async Task<ArrayResult[]> DescribeAsync(SharedBlobs? blobs)
    {
        var results = new List<ArrayResult>();
        foreach (var path in paths)
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

            // A seed of its own: the client takes each result for itself, and two may be equal.
            var content = ContentHash.Of(file, RandomAccess.GetLength(file), Random.Shared.NextInt64());
            string? blob = null;
            if (blobs is not null)
            {
                blob = await blobs.KeepAsync(path, content).ConfigureAwait(false);
                lock (_blobs)
                {
                    _blobs.Add((blobs, content));
                }
            }

            results.Add(new ArrayResult(path, content, blob));
        }

        return [.. results];
    }

    /// <summary>Lets them go.</summary>
    internal async Task ReleaseAsync()
    {
        foreach (var one in held)
        {
            one.Dispose();
        }

        foreach (var path in paths)
        {
            ArrayStore.DeleteIfUnused(path);
        }

        (SharedBlobs Blobs, ArrayContent Content)[] blobs;
        lock (_blobs)
        {
            blobs = [.. _blobs];
            _blobs.Clear();
        }

        foreach (var (storage, content) in blobs)
        {
            await storage.ReleaseAsync(content).ConfigureAwait(false);
        }
    }
}
