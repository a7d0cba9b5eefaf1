using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib.Silo;

/// <summary>The large results of a batch: in use here until the client has them.</summary>
/// <param name="paths">Their files.</param>
/// <param name="held">What keeps the files in use.</param>
internal sealed class KeptResults(IReadOnlyCollection<string> paths, IReadOnlyList<IDisposable> held) : IAsyncDisposable
{
    private readonly CancellationTokenSource _releasing = new();
    private readonly List<KeptBlob> _blobs = [];

    internal IReadOnlyCollection<string> Paths => paths;

    /// <summary>Takes the results of a worker process, which lets go of them after this.</summary>
    /// <returns>Null when one is gone.</returns>
    internal static KeptResults? TryOf(IReadOnlyList<string> paths, ArraySettings settings)
    {
        var files = new List<SafeFileHandle>();
        try
        {
            foreach (var path in paths)
            {
                if (ArrayStore.TryOpen(path, settings) is not { } file)
                {
                    return null;
                }

                files.Add(file);
            }

            var kept = new KeptResults(paths, [.. files]);
            files.Clear();
            return kept;
        }
        finally
        {
            // Of results that are not all there, or not all in a place of theirs.
            files.ForEach(opened => opened.Dispose());
        }
    }

    /// <summary>What the client is told of them: where it fetches each from.</summary>
    /// <exception cref="JoblibException">The blob storage does not take them.</exception>
    /// <exception cref="OperationCanceledException">They have been let go meanwhile.</exception>
    internal async Task<ArrayResult[]> DescribeAsync(SharedBlobs? blobs)
    {
        var results = new List<ArrayResult>();
        foreach (var path in paths)
        {
            _releasing.Token.ThrowIfCancellationRequested();
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

            // A seed of its own: the client takes each result for itself, and two may be equal.
            var content = ContentHash.Of(file, RandomAccess.GetLength(file), Random.Shared.NextInt64());
            string? blob = null;
            if (blobs is not null)
            {
                var kept = await blobs.KeepAsync(path, content, _releasing.Token).ConfigureAwait(false);
                if (!TryAdd(kept))
                {
                    await kept.ReleaseAsync().ConfigureAwait(false);
                    throw new OperationCanceledException(_releasing.Token);
                }

                blob = kept.Name;
            }

            results.Add(new ArrayResult(path, content, blob));
        }

        return [.. results];
    }

    /// <summary>Whether nobody wants them any more.</summary>
    internal bool IsReleased => _releasing.IsCancellationRequested;

    /// <summary>Lets them go.</summary>
    public async ValueTask DisposeAsync()
    {
        // What is on its way into the blob storage ends there, or lets itself go.
        var releasing = _releasing.CancelAsync();
        foreach (var one in held)
        {
            one.Dispose();
        }

        foreach (var path in paths)
        {
            ArrayStore.DeleteIfUnused(path);
        }

        await releasing.ConfigureAwait(false);
        KeptBlob[] blobs;
        lock (_blobs)
        {
            blobs = [.. _blobs];
            _blobs.Clear();
        }

        foreach (var blob in blobs)
        {
            await blob.ReleaseAsync().ConfigureAwait(false);
        }
    }

    private bool TryAdd(KeptBlob blob)
    {
        lock (_blobs)
        {
            if (IsReleased)
            {
                return false;
            }

            _blobs.Add(blob);
            return true;
        }
    }
}
