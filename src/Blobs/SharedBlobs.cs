using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>This process's arrays in a blob storage: each once, however many runs use it, and there as long as one does. Thread-safe.</summary>
/// <remarks><c>_gate</c> guards all; the storage is not waited for with it. Each upload has a name of its own, so that what is deleted late is never what somebody has stored since.</remarks>
internal sealed class SharedBlobs(BlobStorage storage, ILogger logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ArrayContent, Entry> _blobs = [];
    private Folder? _folder;
    private bool _hasSwept;
    private bool _isDisposed;
    private long _bytesSent;

    internal BlobStorage Storage => storage;

    /// <summary>Bytes brought there so far.</summary>
    internal long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Brings a file there unless it is there, and keeps it until what is returned is released.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="cancellationToken">The caller does not want it any more. The upload ends when nobody does.</param>
    /// <exception cref="JoblibException">The storage does not take it.</exception>
    internal async Task<KeptBlob> KeepAsync(string path, ArrayContent content, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Entry? entry;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_folder is { IsOver: true })
            {
                _folder = null;
                _blobs.Clear();
            }

            if (!_hasSwept)
            {
                _hasSwept = true;
                _ = Task.Run(() => SweepAsync(storage, logger), CancellationToken.None);
            }

            if (!_blobs.TryGetValue(content, out entry) || entry.Sending.IsFaulted)
            {
                // All who come while it is opened wait for the same attempt, and fail with it.
                _folder ??= new Folder(storage, logger);
                _folder.Blobs++;
                _blobs[content] = entry = new Entry(content, _folder, (entry, unwanted) => SendAsync(entry, path, unwanted));
            }

            entry.Users++;
        }

        try
        {
            return new KeptBlob(this, entry, await entry.Sending.WaitAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (Exception)
        {
            _ = ReleaseAsync(entry);
            throw;
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
        Folder? folder;
        lock (_gate)
        {
            _isDisposed = true;
            left = [.. _blobs.Values];
            _blobs.Clear();
            (folder, _folder) = (_folder, null);
        }

        await Task.WhenAll(left.Select(DeleteAsync)).ConfigureAwait(false);
        if (folder is not null)
        {
            await folder.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The file of an array that this process was to send.</summary>
    internal static JoblibException Gone(string path, Exception exception) =>
        new("array-gone", $"The memory-mapped array '{path}' cannot be read: {exception.Message} Its file has to stay as long as calls use it.", exception);

    internal void Forget(Entry entry)
    {
        lock (_gate)
        {
            if (_blobs.GetValueOrDefault(entry.Content) == entry)
            {
                _blobs.Remove(entry.Content);
            }
        }
    }

    internal async Task ReleaseAsync(Entry entry)
    {
        Folder? ended = null;
        lock (_gate)
        {
            if (--entry.Users > 0)
            {
                return;
            }

            Forget(entry);
            if (--entry.Folder.Blobs == 0 && entry.Folder == _folder)
            {
                (ended, _folder) = (_folder, null);
            }
        }

        await DeleteAsync(entry).ConfigureAwait(false);
        if (ended is not null)
        {
            await ended.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<string> SendAsync(Entry entry, string path, CancellationToken unwanted)
    {
        var lease = await entry.Folder.Opening.WaitAsync(unwanted).ConfigureAwait(false);
        FileStream file;
        try
        {
            file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Gone(path, exception);
        }

        var name = entry.Name = $"{lease.Folder}/{entry.Content}-{Guid.NewGuid():n}";
        await using (file.ConfigureAwait(false))
        {
            await storage.UploadAsync(file, name, unwanted).ConfigureAwait(false);
        }

        Interlocked.Add(ref _bytesSent, entry.Content.Length);
        JoblibInstruments.ArraysSent(entry.Content.Length);
        return name;
    }

    private async Task DeleteAsync(Entry entry)
    {
        await entry.DisposeAsync().ConfigureAwait(false);
        try
        {
            if (entry.Name is { } name)
            {
                await (entry.Sending.IsCompletedSuccessfully ? storage.DeleteAsync(name) : storage.DeletePartAsync(name)).ConfigureAwait(false);
            }
        }
        catch (JoblibException exception)
        {
            BlobLog.NotDeleted(logger, exception, entry.Name!);
        }
    }

    /// <summary>An array there, or on its way. Its users are guarded by the gate.</summary>
    internal sealed class Entry : IAsyncDisposable
    {
        private readonly CancellationTokenSource _unwanted = new();

        internal Entry(ArrayContent content, Folder folder, Func<Entry, CancellationToken, Task<string>> send)
        {
            Content = content;
            Folder = folder;

            // Not on this thread, not even its beginning: the gate is held.
            Sending = Task.Run(() => send(this, _unwanted.Token));
        }

        internal ArrayContent Content { get; }

        internal Folder Folder { get; }

        /// <summary>Gives its name when it is there.</summary>
        internal Task<string> Sending { get; }

        /// <summary>Null before the first byte of it was sent.</summary>
        internal string? Name { get; set; }

        internal int Users { get; set; }

        /// <summary>Nobody wants it any more: what is under way of it ends.</summary>
        public async ValueTask DisposeAsync()
        {
            await _unwanted.CancelAsync().ConfigureAwait(false);
            await ((Task)Sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>This process's right to keep blobs, as long as it has any by it. Their number is guarded by the gate.</summary>
    internal sealed class Folder : IAsyncDisposable
    {
        private readonly CancellationTokenSource _ending = new();

        internal Folder(BlobStorage storage, ILogger logger) => Opening = Task.Run(() => BlobLease.OpenAsync(storage, logger, _ending.Token));

        internal Task<BlobLease> Opening { get; }

        internal int Blobs { get; set; }

        /// <summary>Whether it could not be had, or ran out.</summary>
        internal bool IsOver => Opening.IsFaulted || Opening.IsCanceled || (Opening.IsCompletedSuccessfully && Opening.Result.IsLost);

        public async ValueTask DisposeAsync()
        {
            await _ending.CancelAsync().ConfigureAwait(false);
            await ((Task)Opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Opening.IsCompletedSuccessfully)
            {
                await Opening.Result.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
