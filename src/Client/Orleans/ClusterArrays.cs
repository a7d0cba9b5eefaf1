using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>The large arrays of one loop on a cluster: brings those of calls to hosts that do not share this one's memory, once each, and fetches those of results. Thread-safe.</summary>
internal sealed class ClusterArrays : IDisposable
{
    // 32 MiB on their way fill any connection; other messages still get through between two.
    private const int ChunksInFlight = 8;

    // Messages may be lost with a gateway or a connection.
    private const int MostLosses = 3;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private static readonly long OwnSeed = Random.Shared.NextInt64();

    private readonly IGrainFactory _grains;
    private readonly ArrayHosts _hosts;
    private readonly Guid _run;
    private readonly RunArrays _arrays;
    private readonly SharedBlobs? _blobs;
    private readonly ConcurrentDictionary<(SiloAddress Silo, string Path), Lazy<Task<string>>> _brought = new();
    private readonly ConcurrentDictionary<string, Lazy<Task<ArrayContent>>> _contents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ArrayContent, Lazy<Task<KeptBlob>>> _uploads = new();
    private readonly ConcurrentDictionary<SiloAddress, ArrayHosts.Sharing> _sharing = new();
    private readonly ConcurrentDictionary<SiloAddress, byte> _users = new();
    private readonly SemaphoreSlim _places = new(ChunksInFlight);
    private readonly CancellationTokenSource _ending = new();
    private static long _chunkBytes;

    internal ClusterArrays(IGrainFactory grains, ArrayHosts hosts, Guid run, ArraySettings settings, SharedBlobs? blobs)
    {
        _grains = grains;
        _hosts = hosts;
        _run = run;
        _arrays = new RunArrays(settings);
        _blobs = blobs;
        Session = new ArraySession(Guid.NewGuid(), hosts.IdOf(settings), settings.MaxBytes!.Value, (byte)settings.Mode, blobs is not null);
    }

    /// <summary>What silos are told of it.</summary>
    internal ArraySession Session { get; }

    /// <summary>Where large arrays of results are found that are on this host.</summary>
    internal IArraySource Results => _arrays.Results;

    /// <summary>Bytes that went to silos and came from them in chunks, of all loops of this process.</summary>
    internal static long ChunkBytes => Volatile.Read(ref _chunkBytes);

    private ArraySettings Settings => _arrays.Settings;

    internal BatchArrays? NewBatch() => _arrays.NewBatch();

    /// <summary>Finds out what is shared with a silo's host. Costs nothing when this client has asked before.</summary>
    internal async Task OpenAsync(SiloAddress silo)
    {
        if (!_sharing.ContainsKey(silo))
        {
            _sharing[silo] = await _hosts.OfAsync(silo, Settings).ConfigureAwait(false);
        }
    }

    /// <summary>The silo does not know what it should: it is asked, and given, anew.</summary>
    internal void Forget(SiloAddress silo)
    {
        _sharing.TryRemove(silo, out _);
        _hosts.Forget(silo, Settings);
        foreach (var known in _brought.Keys.Where(key => key.Silo.Equals(silo)))
        {
            _brought.TryRemove(known, out _);
        }
    }

    /// <summary>Brings a batch's arrays to a silo's host.</summary>
    /// <exception cref="JoblibException">One cannot be there.</exception>
    internal async Task EnsureAsync(SiloAddress silo, BatchArrays? batch)
    {
        if (batch is null or { References.Count: 0 })
        {
            return;
        }

        _users.TryAdd(silo, 0);
        await Task.WhenAll(Moved(silo, batch).Select(reference => EnsureAsync(silo, reference))).ConfigureAwait(false);
    }

    /// <summary>Those of a batch's arrays that the silo finds under another name; null for none.</summary>
    internal string[]? MovedOf(SiloAddress silo, BatchArrays batch) => Moved(silo, batch).Select(reference => reference.Path).ToArray() is { Length: > 0 } moved ? moved : null;

    /// <summary>Takes the results of a batch, the large ones from where the silo keeps them, and tells it so.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="outcome">What it says of them.</param>
    /// <param name="take">Decodes them, given where they are found and the file here of each.</param>
    internal async Task TakeAsync(SiloAddress silo, BatchOutcome outcome, Action<IArraySource, IReadOnlyDictionary<string, string>> take)
    {
        _users.TryAdd(silo, 0);
        var grain = _grains.GetGrain<IArrayGrain>(SlotKey.ForArrays(silo));
        var leases = new ConcurrentQueue<ArrayLease>();
        try
        {
            var paths = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
            foreach (var shared in outcome.Arrays!.Where(result => result.IsShared))
            {
                paths[shared.Path] = shared.Path;
            }

            await Task.WhenAll(outcome.Arrays!.Where(result => !result.IsShared).Select(result => Task.Run(async () =>
            {
                var lease = await FetchAsync(grain, outcome.Handle, result).ConfigureAwait(false);
                leases.Enqueue(lease);
                paths[result.Path] = lease.Segment.Path;
            }))).ConfigureAwait(false);
            take(paths.IsEmpty ? Results : new MovedArrays(Results, paths), paths);
        }
        finally
        {
            foreach (var lease in leases)
            {
                lease.Dispose();
            }
        }

        _ = TellAsync(() => grain.TakenAsync(_run, [outcome.Handle]));
    }

    /// <summary>The loop has ended, and no batch is under way.</summary>
    public void Dispose()
    {
        // Uploads end, and none begins.
        _ending.Cancel();
        foreach (var silo in _users.Keys)
        {
            _ = TellAsync(() => _grains.GetGrain<IArrayGrain>(SlotKey.ForArrays(silo)).EndAsync(_run, Session.Run));
        }

        foreach (var upload in _uploads.Values)
        {
            _ = ReleaseAsync(upload);
        }

        _arrays.Dispose();
    }

    private IEnumerable<ArrayReference> Moved(SiloAddress silo, BatchArrays batch)
    {
        var sharing = _sharing.GetValueOrDefault(silo);
        return batch.References.Where(reference => sharing?.Sees(reference) != true);
    }

    private async Task EnsureAsync(SiloAddress silo, ArrayReference reference)
    {
        if (reference.Mode == MmapMode.ReadWrite)
        {
            throw new JoblibException(
                "array-in-place",
                $"The memory-mapped array '{reference.Path}' is open for writing (r+), and the silo '{silo}' does not share this host's files: what its calls write would reach nobody. "
                    + "Map it read-only or copy-on-write and return what changes, or run the loop on silos of this host or on 'loky'.");
        }

        await OnceAsync(_brought, (silo, reference.Path), key => BringAsync(silo, key.Path)).ConfigureAwait(false);
    }

    /// <returns>The array's name there.</returns>
    private async Task<string> BringAsync(SiloAddress silo, string path)
    {
        var content = await OnceAsync(_contents, path, static path => Task.FromResult(ContentOf(path))).ConfigureAwait(false);
        var grain = _grains.GetGrain<IArrayGrain>(SlotKey.ForArrays(silo));
        var blobs = _sharing.TryGetValue(silo, out var sharing) && sharing.Blobs is not null ? _blobs : null;
        KeptBlob? blob = null;
        var asksOnly = blobs is not null;
        var isAgain = false;
        while (true)
        {
            _ending.Token.ThrowIfCancellationRequested();
            switch (await AskAsync(() => grain.OfferAsync(_run, Session, new ArrayOffer(path, content, blob?.Name, asksOnly))).ConfigureAwait(false))
            {
                case ArrayAnswer.Here or ArrayAnswer.RunEnded:
                    // A run that has ended there is told of by the batch that comes next.
                    return path;
                case ArrayAnswer.Wanted when blobs is not null:
                    asksOnly = false;
                    blob = await UploadAsync(blobs, path, content).ConfigureAwait(false);
                    break;
                case ArrayAnswer.Wanted:
                    await SendAsync(grain, content, path).ConfigureAwait(false);
                    break;
                case ArrayAnswer.BlobGone when blob is not null && await blobs!.Storage.ExistsAsync(blob.Name).ConfigureAwait(false):
                    throw new JoblibException(
                        "blob-elsewhere",
                        $"The silo '{silo}' does not find in its blob storage '{sharing!.Blobs}' what this process has put into '{blobs.Storage.Place}'. Give both the same ({BlobStorage.Variable}, OrleansBackendOptions.Blobs).");
                case ArrayAnswer.BlobGone when !isAgain:
                    // Somebody deletes blobs there, or this process was stopped for longer than their lease.
                    isAgain = true;
                    JoblibLog.BlobGone(Joblib.Logger, content.Length, blobs!.Storage.Place);
                    await ForgetUploadAsync(content, blob!).ConfigureAwait(false);
                    blob = await UploadAsync(blobs, path, content).ConfigureAwait(false);
                    break;
                case ArrayAnswer.BlobGone:
                    throw new JoblibException(
                        "blob-gone", $"A blob of {content.Length} bytes vanished from '{blobs!.Storage.Place}' twice before the silo '{silo}' could fetch it. Look what deletes blobs there: a lifecycle rule of less than a day, say.");
            }
        }
    }

    private Task<KeptBlob> UploadAsync(SharedBlobs blobs, string path, ArrayContent content) => OnceAsync(_uploads, content, content => blobs.KeepAsync(path, content, _ending.Token));

    // Others of the loop may have found it gone, too, and stored the array anew.
    private async Task ForgetUploadAsync(ArrayContent content, KeptBlob vanished)
    {
        vanished.Vanished();
        if (_uploads.TryGetValue(content, out var upload) && upload.IsValueCreated && upload.Value.IsCompletedSuccessfully && await upload.Value.ConfigureAwait(false) == vanished
            && _uploads.TryRemove(new KeyValuePair<ArrayContent, Lazy<Task<KeptBlob>>>(content, upload)))
        {
            await vanished.ReleaseAsync().ConfigureAwait(false);
        }
    }

    private static ArrayContent ContentOf(string path) => Reading(path, () =>
    {
        using var file = Open(path);
        return ContentHash.Of(file, RandomAccess.GetLength(file), StoreFolder.TrySeedOf(path) ?? OwnSeed);
    });

    private static SafeFileHandle Open(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    // Without this a file that has gone would be taken for a silo that was not reached, and tried again.
    private static T Reading<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw SharedBlobs.Gone(path, exception);
        }
    }

    /// <summary>What is made once for all who ask; who comes after a failure has it made again.</summary>
    private static async Task<T> OnceAsync<TKey, T>(ConcurrentDictionary<TKey, Lazy<Task<T>>> known, TKey key, Func<TKey, Task<T>> make)
        where TKey : notnull
    {
        var made = known.GetOrAdd(key, key => new Lazy<Task<T>>(() => Task.Run(() => make(key))));
        try
        {
            return await made.Value.ConfigureAwait(false);
        }
        catch (Exception)
        {
            known.TryRemove(new KeyValuePair<TKey, Lazy<Task<T>>>(key, made));
            throw;
        }
    }

    private async Task SendAsync(IArrayGrain grain, ArrayContent content, string path)
    {
        using var file = Reading(path, () => Open(path));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        try
        {
            await ForEachChunkAsync(
                content.Length,
                async (offset, length) =>
                {
                    var bytes = Reading(path, () =>
                    {
                        var bytes = new byte[length];
                        ContentHash.ReadExactly(file, bytes, offset);
                        return bytes;
                    });
                    if (!await AskAsync(() => grain.PutAsync(new ArrayChunk(content, offset, bytes))).ConfigureAwait(false))
                    {
                        // Whole, or given up: the next offer says which.
                        await ending.CancelAsync().ConfigureAwait(false);
                    }

                    JoblibInstruments.ArraysSent(length);
                },
                ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }
    }

    /// <summary>Moves an array in parts of <see cref="ArrayChunk.MostBytes"/>, a few of the loop at once: from an offset, so many bytes.</summary>
    private Task ForEachChunkAsync(long length, Func<long, int, Task> move, CancellationToken ending) => Parallel.ForAsync(
        0,
        (length + ArrayChunk.MostBytes - 1) / ArrayChunk.MostBytes,
        new ParallelOptions { MaxDegreeOfParallelism = ChunksInFlight, CancellationToken = ending },
        async (index, _) =>
        {
            await _places.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            try
            {
                var offset = index * ArrayChunk.MostBytes;
                var bytes = (int)Math.Min(ArrayChunk.MostBytes, length - offset);
                await move(offset, bytes).ConfigureAwait(false);
                Interlocked.Add(ref _chunkBytes, bytes);
            }
            finally
            {
                _places.Release();
            }
        });

    private async Task<ArrayLease> FetchAsync(IArrayGrain grain, long batch, ArrayResult result)
    {
        var (_, incoming) = ArrayStores.Of(Settings).TryReceive(result.Content);
        using (incoming ?? throw new InvalidOperationException($"The result '{result.Content}' is being fetched already."))
        {
            if (result.Blob is { } blob && _blobs is not null)
            {
                try
                {
                    await _blobs.Storage.DownloadAsync(blob, incoming, CancellationToken.None).ConfigureAwait(false);
                    return incoming.Keep(isShared: false);
                }
                catch (JoblibException exception) when (BlobStorage.IsGone(exception))
                {
                    // The silo has it still.
                    JoblibLog.BlobGone(Joblib.Logger, result.Content.Length, _blobs.Storage.Place);
                }
            }

            await ForEachChunkAsync(
                result.Content.Length,
                async (offset, length) => incoming.Write(offset, await AskAsync(() => grain.ReadAsync(_run, batch, result.Path, offset, length)).ConfigureAwait(false)),
                CancellationToken.None).ConfigureAwait(false);
            return incoming.Keep(isShared: false);
        }
    }

    // One that has not begun finds that the loop has ended, and one that is under way ends.
    private static async Task ReleaseAsync(Lazy<Task<KeptBlob>> upload)
    {
        if (upload.IsValueCreated)
        {
            await ((Task)upload.Value).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (upload.Value.IsCompletedSuccessfully)
            {
                await (await upload.Value.ConfigureAwait(false)).ReleaseAsync().ConfigureAwait(false);
            }
        }
    }

    private static async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        for (var losses = 0; ;)
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (Exception exception) when (ClusterRun.MayPass(exception) && ++losses < MostLosses)
            {
                // All that is asked may be asked twice. A gateway that was lost takes a moment to be replaced.
                await Task.Delay(RetryPause).ConfigureAwait(false);
            }
        }
    }

    private static async Task TellAsync(Func<Task> tell)
    {
        try
        {
            await tell().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // A silo that is gone keeps nothing; any other ends it with the run.
        }
    }
}
