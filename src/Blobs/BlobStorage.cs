using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Orleans.Joblib;

/// <summary>A container of blobs that clients and silos share. Thread-safe; makes no connection until it is used.</summary>
internal sealed class BlobStorage
{
    /// <summary>The container where the setting names none.</summary>
    internal const string DefaultContainer = "joblib-arrays";

    /// <summary>A client's or silo's variable for it.</summary>
    internal const string Variable = "JOBLIB_BLOBS";

    private const string ContainerKey = "Container=";

    private BlobStorage(BlobContainerClient container, string setting)
    {
        Container = container;
        Setting = setting;
        Place = container.Uri.GetLeftPart(UriPartial.Path);
    }

    internal BlobContainerClient Container { get; }

    /// <summary>What it was made from; may hold a key.</summary>
    internal string Setting { get; }

    /// <summary>The container's address, without what gives access to it.</summary>
    internal string Place { get; }

    /// <summary>Reads a setting: an account's or container's address, or a connection string with a 'Container=' of ours in it.</summary>
    /// <exception cref="ArgumentException">It is neither; what it says is not repeated, since it may hold a key.</exception>
    internal static BlobStorage Parse(string setting) => Parse(setting, Options());

    /// <inheritdoc cref="Parse(string)"/>
    /// <param name="setting">What to read.</param>
    /// <param name="options">How it is asked.</param>
    internal static BlobStorage Parse(string setting, BlobClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(setting);
        try
        {
            return new BlobStorage(setting.Contains("://", StringComparison.Ordinal) && !setting.Contains(';', StringComparison.Ordinal) ? OfAddress(setting, options) : OfConnectionString(setting, options), setting);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new ArgumentException(
                $"The blob storage must be an address, 'https://ACCOUNT.blob.core.windows.net[/CONTAINER]', or a connection string, 'DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…[;Container=NAME]': {exception.Message}", exception);
        }
    }

    /// <summary>Runs a request, and says what it means when it fails.</summary>
    /// <param name="what">What it is for.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Who has the request end wants no reason for it.</param>
    /// <exception cref="JoblibException">The storage does not do it.</exception>
    internal async Task<T> AskAsync<T>(string what, Func<BlobContainerClient, Task<T>> request, CancellationToken cancellationToken = default)
    {
        try
        {
            return await request(Container).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && FaultOf(what, exception) is { } fault)
        {
            throw fault;
        }
    }

    /// <summary>Whether a failure of the storage says that a blob is not there any more.</summary>
    internal static bool IsGone(JoblibException exception) => exception.HelpLink?.EndsWith("#blob-gone", StringComparison.Ordinal) == true;

    /// <summary>What a failure of the storage means to a user; null when it is none of the storage's.</summary>
    internal JoblibException? FaultOf(string what, Exception exception) => exception switch
    {
        JoblibException known => known,
        AuthenticationFailedException => new JoblibException(
            "blob-login",
            $"This process has no identity that the blob storage '{Place}' could know, so it could not {what}: {Reason(exception)} Log in ('az login'), run it where it has a managed or workload identity, "
                + "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or give a shared access signature or a connection string with a key instead.",
            exception),
        RequestFailedException { Status: 401 or 403 } => new JoblibException(
            "blob-denied",
            $"The blob storage '{Place}' does not let this process {what} ({Reason(exception)}). Give its identity the role 'Storage Blob Data Contributor' on the container, or correct the key of the connection string; "
                + "clients and silos need it both.",
            exception),
        RequestFailedException { Status: 404 } => new JoblibException(
            "blob-gone", $"An array's blob is not in the blob storage '{Place}' any more, so this process could not {what}. Something else deletes blobs there, or clients and silos are given different storage.", exception),
        RequestFailedException or AggregateException or HttpRequestException or IOException or TaskCanceledException => new JoblibException(
            "blob-unreachable",
            $"The blob storage '{Place}' did not let this process {what}: {Reason(exception)} Check its address and that this host reaches it, or leave it out ({Variable}, OrleansBackendOptions.Blobs): "
                + "arrays then go through the silos themselves.",
            exception),
        _ => null,
    };

    /// <summary>Whether it is there.</summary>
    internal Task<bool> ExistsAsync(string name) => AskAsync("look for an array", async container => (await container.GetBlobClient(name).ExistsAsync().ConfigureAwait(false)).Value);

    /// <summary>Brings a file there, in blocks, several at once.</summary>
    internal Task UploadAsync(Stream file, string name, CancellationToken cancellationToken) => AskAsync("store an array", async container =>
    {
        await container.GetBlobClient(name).UploadAsync(file, new BlobUploadOptions { TransferOptions = BlobTransfer.Options }, cancellationToken).ConfigureAwait(false);
        return true;
    }, cancellationToken);

    /// <summary>Fetches a blob, in ranges, several at once; hashed while it comes.</summary>
    /// <exception cref="JoblibException">It is gone, another one, or the storage does not give it.</exception>
    internal Task DownloadAsync(string name, IncomingSegment into, CancellationToken cancellationToken) => AskAsync("fetch an array", async container =>
    {
        await BlobTransfer.DownloadAsync(container.GetBlobClient(name), into, cancellationToken).ConfigureAwait(false);
        return true;
    }, cancellationToken);

    internal Task DeleteAsync(string name) => AskAsync("delete an array", async container => (await container.GetBlobClient(name).DeleteIfExistsAsync().ConfigureAwait(false)).Value);

    /// <summary>Deletes what may be a part of a blob, too: one whose upload has not come to its end.</summary>
    internal Task DeletePartAsync(string name) => AskAsync("delete a part of an array", async container =>
    {
        var blob = container.GetBlobClient(name);
        if (!(await blob.DeleteIfExistsAsync().ConfigureAwait(false)).Value)
        {
            // One that was never finished cannot be deleted; finishing it drops the parts that came.
            await blob.UploadAsync(BinaryData.Empty, overwrite: true).ConfigureAwait(false);
            await blob.DeleteIfExistsAsync().ConfigureAwait(false);
        }

        return true;
    });

    private static BlobContainerClient OfAddress(string setting, BlobClientOptions options)
    {
        var address = new BlobUriBuilder(new Uri(setting));
        if (address.BlobName.Length > 0)
        {
            throw new FormatException("the address is that of a blob.");
        }

        if (address.BlobContainerName.Length == 0)
        {
            address.BlobContainerName = DefaultContainer;
        }

        var uri = address.ToUri();
        if (address.Sas is not null)
        {
            return new BlobContainerClient(uri, options);
        }

        return uri.Scheme == Uri.UriSchemeHttps
            ? new BlobContainerClient(uri, new DefaultAzureCredential(), options)
            : throw new FormatException("an identity is shown over https only.");
    }

    private static BlobContainerClient OfConnectionString(string setting, BlobClientOptions options)
    {
        var parts = setting.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var container = Array.Find(parts, part => part.StartsWith(ContainerKey, StringComparison.OrdinalIgnoreCase))?[ContainerKey.Length..] ?? DefaultContainer;
        return new BlobContainerClient(string.Join(';', parts.Where(part => !part.StartsWith(ContainerKey, StringComparison.OrdinalIgnoreCase))), container, options);
    }

    // About two minutes until storage that swallows everything is given up.
    private static BlobClientOptions Options() => new()
    {
        Retry = { Mode = RetryMode.Exponential, MaxRetries = 3, Delay = TimeSpan.FromSeconds(0.3), MaxDelay = TimeSpan.FromSeconds(5), NetworkTimeout = TimeSpan.FromSeconds(30) },
        Diagnostics = { ApplicationId = "joblib", IsDistributedTracingEnabled = false },
    };

    private static string Reason(Exception exception)
    {
        var first = exception is AggregateException aggregate ? aggregate.InnerExceptions[0] : exception;
        var line = first is RequestFailedException { ErrorCode: { Length: > 0 } code, Status: var status } ? $"{status} {code}." : first.Message.Split('\n')[0].Trim();
        return line.EndsWith('.') ? line : line + ".";
    }
}
