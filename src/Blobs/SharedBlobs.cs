using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>This process's arrays in a blob storage: each once, however many runs use it, and there as long as one does. Thread-safe.</summary>
internal sealed class SharedBlobs(BlobStorage storage, ILogger logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<ArrayContent, Entry> _blobs = [];
    private BlobLease? _lease;
    private bool _hasSwept;

    internal BlobStorage Storage => storage;

    /// <summary>Bytes brought there so far.</summary>
    internal long BytesSent => Volatile.Read(ref _bytesSent);

    private long _bytesSent;

    /// <summary>Brings a file there unless it is there, and keeps it until <see cref="ReleaseAsync"/> was called as often.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="gone">A blob of it that has vanished; null for none.</param>
    /// <returns>The blob's name.</returns>
    /// <exception cref="JoblibException">The storage does not take it.</exception>
    internal async Task<string> KeepAsync(string path, ArrayContent content, string? gone = null)
    {
        Entry entry;
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_lease is { IsLost: true } lost)
            {
                _lease = null;
                _blobs.Clear();
                await lost.DisposeAsync().ConfigureAwait(false);
            }

            if (!_hasSwept)
            {
                _hasSwept = true;
                _ = SweepAsync(storage, logger);
            }

            _lease ??= await BlobLease.OpenAsync(storage, logger).ConfigureAwait(false);
            if (!_blobs.TryGetValue(content, out entry!) || entry.Sending.IsFaulted || entry.Name == gone)
            {
                var name = $"{_lease.Folder}/{content}{(gone is null ? "" : $"-{Guid.NewGuid():n}")}";
                var users = entry?.Users ?? 0;
                _blobs[content] = entry = new Entry(name, SendAsync(path, name, content.Length)) { Users = users };
            }

            // Of a blob that has to be sent again the caller is a user already.
            entry.Users += gone is null ? 1 : 0;
        }
        finally
        {
            _gate.Release();
        }

        try
        {
            await entry.Sending.ConfigureAwait(false);
            return entry.Name;
        }
        catch (Exception) when (gone is null)
        {
            await ReleaseAsync(content).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Nothing of the caller needs it any more. Never throws.</summary>
    internal async Task ReleaseAsync(ArrayContent content)
    {
        Entry? last = null;
        BlobLease? lease = null;
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_blobs.TryGetValue(content, out var entry) && --entry.Users <= 0)
            {
                _blobs.Remove(content);
                last = entry;
                if (_blobs.Count == 0)
                {
                    (lease, _lease) = (_lease, null);
                }
            }
        }
        finally
        {
            _gate.Release();
        }

        if (last is not null)
        {
            await DeleteAsync(last).ConfigureAwait(false);
        }

        if (lease is not null)
        {
            await lease.DisposeAsync().ConfigureAwait(false);
        }
    }

    internal static async Task SweepAsync(BlobStorage storage, ILogger logger)
    {
        try
        {
            if (await BlobLease.SweepAsync(storage).ConfigureAwait(false) is var swept and > 0)
            {
                BlobLog.Swept(logger, swept, storage.Place);
            }
        }
        catch (Exception exception)
        {
            BlobLog.NotSwept(logger, exception, storage.Place);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Entry[] left;
        BlobLease? lease;
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            left = [.. _blobs.Values];
            _blobs.Clear();
            (lease, _lease) = (_lease, null);
        }
        finally
        {
            _gate.Release();
        }

        await Task.WhenAll(left.Select(DeleteAsync)).ConfigureAwait(false);
        if (lease is not null)
        {
            await lease.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The file of an array that this process was to send.</summary>
    internal static JoblibException Gone(string path, Exception exception) =>
        new("array-gone", $"The memory-mapped array '{path}' cannot be read: {exception.Message} Its file has to stay as long as calls use it.", exception);

    private async Task SendAsync(string path, string name, long length)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Gone(path, exception);
        }

        await using (file.ConfigureAwait(false))
        {
            await storage.UploadAsync(file, name, CancellationToken.None).ConfigureAwait(false);
        }

        Interlocked.Add(ref _bytesSent, length);
        JoblibInstruments.ArraysSent(length);
    }

    private async Task DeleteAsync(Entry entry)
    {
        try
        {
            await entry.Sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await storage.DeleteAsync(entry.Name).ConfigureAwait(false);
        }
        catch (JoblibException exception)
        {
            BlobLog.NotDeleted(logger, exception, entry.Name);
        }
    }

    private sealed class Entry(string name, Task sending)
    {
        internal string Name => name;

        internal Task Sending => sending;

        internal int Users { get; set; }
    }
}
