using System.Security.Cryptography;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>The right of a process to keep blobs: a folder of its own in the container, with a mark that it renews. What has no mark that is fresh is anybody's to delete.</summary>
/// <remarks>
/// One request in <see cref="RenewPeriod"/> for all blobs of a process, however many they are. Times are the storage's own: nobody's clock is compared with another's.
/// </remarks>
internal sealed class BlobLease : IAsyncDisposable
{
    /// <summary>Blobs of a process that has not been heard of for so long are deleted.</summary>
    internal static readonly TimeSpan Duration = TimeSpan.FromSeconds(90);

    internal static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(15);

    private const string Mark = "lease";

    private readonly BlobStorage _storage;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _renewing;
    private volatile bool _isLost;

    private BlobLease(BlobStorage storage, string folder, ILogger logger)
    {
        _storage = storage;
        _logger = logger;
        Folder = folder;
        _renewing = RenewAsync();
    }

    internal string Folder { get; }

    /// <summary>Whether it ran out, the process having been stopped for long, and its blobs with it.</summary>
    internal bool IsLost => _isLost;

    internal static async Task<BlobLease> OpenAsync(BlobStorage storage, ILogger logger, CancellationToken cancellationToken)
    {
        var folder = Guid.NewGuid().ToString("n");
        await storage.AskAsync("keep arrays", async container =>
        {
            try
            {
                await PutMarkAsync().ConfigureAwait(false);
            }
            catch (Azure.RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
                await PutMarkAsync().ConfigureAwait(false);
            }

            return true;

            Task PutMarkAsync() => container.GetBlobClient($"{folder}/{Mark}").UploadAsync(new BinaryData(RandomNumberGenerator.GetBytes(16)), overwrite: true, cancellationToken);
        }, cancellationToken).ConfigureAwait(false);
        return new BlobLease(storage, folder, logger);
    }

    /// <summary>Deletes what processes have left that are gone.</summary>
    /// <returns>How many blobs.</returns>
    internal static Task<int> SweepAsync(BlobStorage storage, TimeSpan? olderThan = null) => storage.AskAsync("delete arrays that nobody keeps", async container =>
    {
        var folders = new Dictionary<string, (DateTimeOffset Newest, DateTimeOffset? Mark, List<string> Blobs)>(StringComparer.Ordinal);
        var now = DateTimeOffset.MinValue;
        try
        {
            await foreach (var page in container.GetBlobsAsync(new GetBlobsOptions { States = BlobStates.Uncommitted }).AsPages().ConfigureAwait(false))
            {
                now = page.GetRawResponse().Headers.Date ?? DateTimeOffset.UtcNow;
                foreach (var blob in page.Values)
                {
                    var slash = blob.Name.IndexOf('/', StringComparison.Ordinal);
                    if (slash <= 0 || !Guid.TryParseExact(blob.Name[..slash], "n", out _))
                    {
                        // Not ours.
                        continue;
                    }

                    var folder = blob.Name[..slash];
                    if (!folders.TryGetValue(folder, out var known))
                    {
                        known = (DateTimeOffset.MinValue, null, []);
                    }

                    var time = blob.Properties.LastModified;
                    known.Blobs.Add(blob.Name);
                    folders[folder] = (time > known.Newest ? time.Value : known.Newest, blob.Name.AsSpan(slash + 1).SequenceEqual(Mark) ? time : known.Mark, known.Blobs);
                }
            }
        }
        catch (Azure.RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            return 0;
        }

        var deleted = 0;
        foreach (var (_, (newest, mark, blobs)) in folders)
        {
            if (now - (mark ?? newest) <= (olderThan ?? Duration))
            {
                continue;
            }

            foreach (var name in blobs)
            {
                await storage.DeletePartAsync(name).ConfigureAwait(false);
                deleted++;
            }
        }

        return deleted;
    });

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        _ending.Dispose();
        try
        {
            await _storage.DeleteAsync($"{Folder}/{Mark}").ConfigureAwait(false);
        }
        catch (JoblibException exception)
        {
            BlobLog.NotDeleted(_logger, exception, Folder);
        }
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(RenewPeriod);
        try
        {
            while (!_isLost && await timer.WaitForNextTickAsync(_ending.Token).ConfigureAwait(false))
            {
                try
                {
                    await _storage.AskAsync("renew the lease of arrays", async container =>
                        await container.GetBlobClient($"{Folder}/{Mark}").SetMetadataAsync(new Dictionary<string, string>(), cancellationToken: _ending.Token).ConfigureAwait(false)).ConfigureAwait(false);
                }
                catch (JoblibException exception) when (!_ending.IsCancellationRequested)
                {
                    _isLost |= BlobStorage.IsGone(exception);
                    BlobLog.NotRenewed(_logger, exception, _storage.Place);
                }
            }
        }
        catch (Exception exception) when (_ending.IsCancellationRequested && exception is OperationCanceledException or JoblibException)
        {
        }
    }
}
