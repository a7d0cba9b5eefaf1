using System.Diagnostics;
using System.Globalization;
using Azure.Storage.Blobs.Models;

namespace Orleans.Joblib.Cli;

/// <summary>Blob storage: whether this process may write, read and delete there.</summary>
internal static class BlobChecks
{
    private const string Check = "blobs";

    // Its own tries take two minutes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    internal static async Task<Finding> LookAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(BlobStorage.Variable) is not { Length: > 0 } setting)
        {
            return Finding.Ok(Check, $"none is configured ({BlobStorage.Variable}): arrays go to other hosts through the silos");
        }

        BlobStorage storage;
        try
        {
            storage = BlobStorage.Parse(setting);
        }
        catch (ArgumentException exception)
        {
            return Finding.Fault(Check, exception.Message, $"Correct {BlobStorage.Variable}.");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        var started = Stopwatch.GetTimestamp();
        try
        {
            await storage.AskAsync("find or make the container", async container => await container.CreateIfNotExistsAsync(cancellationToken: limit.Token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            var name = "joblib-doctor-" + Guid.NewGuid().ToString("N");
            await storage.AskAsync("store a blob", container => container.GetBlobClient(name).UploadAsync(BinaryData.FromString("doctor"), limit.Token), cancellationToken).ConfigureAwait(false);
            await storage.AskAsync("read a blob", async container => (await container.GetBlobClient(name).DownloadContentAsync(limit.Token).ConfigureAwait(false)).Value, cancellationToken).ConfigureAwait(false);
            await storage.AskAsync("delete a blob", async container => (await container.GetBlobClient(name).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: limit.Token).ConfigureAwait(false)).Value, cancellationToken).ConfigureAwait(false);
            return Finding.Ok(Check, string.Create(CultureInfo.InvariantCulture, $"'{storage.Place}' can be written, read and deleted from ({Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms)"));
        }
        catch (JoblibException exception)
        {
            return Finding.Fault(Check, exception);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.Fault(Check, $"'{storage.Place}' did not answer within '{Patience}'", "Check its address, and that this host reaches it.");
        }
    }
}
