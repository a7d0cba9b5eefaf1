using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Orleans.Joblib.Silo;

/// <summary>A silo's way to large arrays: what it shares with clients, and what is on its way here from others. Thread-safe.</summary>
/// <remarks><c>_gate</c> guards the incoming arrays and the fetches; neither disk nor network is waited for with it.</remarks>
internal sealed class SiloArrays : IAsyncDisposable
{
    /// <summary>A client that sends nothing of an array for so long is not sending it.</summary>
    internal static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    /// <summary>Blobs of clients and silos that are gone are looked for this often.</summary>
    internal static readonly TimeSpan BlobSweepPeriod = TimeSpan.FromSeconds(60);

    // The longest that a client is kept waiting before it is told to ask again: less than the response timeout of its question.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ClaimPoll = TimeSpan.FromMilliseconds(20);

    private const int MostHosts = 1024;

    // Another silo of this host that brings an array may be slow, but not as slow as this.
    private static readonly TimeSpan LongestClaim = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<ArrayContent, Incoming> _incoming = [];
    private readonly Dictionary<(ArrayContent Content, string Blob), Task> _fetches = [];
    private readonly ConcurrentDictionary<Guid, Host> _hosts = new();
    private readonly ConcurrentDictionary<SiloRunArrays, byte> _loops = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly SiloArrayOptions _options;
    private readonly ILogger<SiloArrays> _logger;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;
    private readonly ITimer? _blobSweep;
    private readonly SharedBlobs? _blobs;
    private readonly string _files;
    private volatile bool _wasUsed;
    private volatile int _garbage;
    private long _fetched;
    private long _received;

    public SiloArrays(IOptions<SiloArrayOptions> options, TimeProvider time, ILogger<SiloArrays> logger)
    {
        _options = options.Value;
        _logger = logger;
        _time = time;
        _files = ArrayStore.IsSupported ? StoreToken.Namespace() : "";
        _blobs = _options.Blobs is { } setting ? new SharedBlobs(BlobStorage.Parse(setting), logger) : null;
        _sweep = time.CreateTimer(static arrays => ((SiloArrays)arrays!).OnSweep(), this, Silence, Silence);

        // Not all silos of a cluster in the same second.
        _blobSweep = _blobs is null ? null : time.CreateTimer(static arrays => _ = ((SiloArrays)arrays!).SweepBlobsAsync(), this, TimeSpan.FromSeconds(Random.Shared.NextDouble()), BlobSweepPeriod);
        if (ArrayStore.IsSupported)
        {
            ArrayStores.Reclaiming += Collect;

            // What silos of this host have left that were killed.
            foreach (var parent in _options.Parents)
            {
                StoreFolder.SweepBelow(parent, removes: true);
            }
        }
    }

    /// <summary>Arrays that this silo has fetched from blob storage.</summary>
    internal long Fetched => Interlocked.Read(ref _fetched);

    /// <summary>Blobs that are being fetched.</summary>
    internal int Fetching
    {
        get
        {
            lock (_gate)
            {
                return _fetches.Count;
            }
        }
    }

    /// <summary>Arrays that clients have sent to this silo.</summary>
    internal long Received => Interlocked.Read(ref _received);

    /// <summary>Large arrays that are in shared memory of this host now, whichever of its clients and silos of this user put them there.</summary>
    internal (int Arrays, long Bytes) Count()
    {
        var counts = _options.Parents.Concat(_hosts.Values.SelectMany(host => host.Parents)).Distinct(StringComparer.Ordinal).Select(StoreFolder.CountBelow).ToArray();
        return (counts.Sum(count => count.Arrays), counts.Sum(count => count.Bytes));
    }

    internal ArrayHost Open(Guid host, string[] tokens, string files)
    {
        var proofs = tokens.Select(StoreToken.Prove).ToArray();
        string[] parents = [.. tokens.Where((_, i) => proofs[i] is not null).Select(token => Path.GetDirectoryName(Path.GetDirectoryName(token))!)];
        if (_hosts.Count >= MostHosts)
        {
            // Of clients that are gone, most of them. Others ask anew when their next loop begins.
            _hosts.Clear();
        }

        _hosts[host] = new Host(parents) { SharesFiles = parents.Length > 0 && files == _files };
        return new ArrayHost(proofs, _files, _blobs?.Storage.Place);
    }

    /// <summary>What a loop's arrays are to this silo.</summary>
    /// <returns>Null when the client has not yet asked what is shared with it.</returns>
    internal SiloRunArrays? NewRun(ArraySession session)
    {
        if (!_hosts.TryGetValue(session.Host, out var host))
        {
            return null;
        }

        _wasUsed = true;
        var isShared = host.Parents.Length > 0;
        var loop = new SiloRunArrays(
            session,
            new ArraySettings(ArrayStore.IsSupported ? session.MaxBytes : null, (MmapMode)session.Mode, isShared ? host.Parents : _options.Parents) { SharesFiles = host.SharesFiles, StoreBytes = _options.MaxBytes },
            isShared || !session.TakesBlobs ? null : _blobs,
            isShared,
            this);
        _loops.TryAdd(loop, 0);
        return loop;
    }

    /// <summary>A loop has ended, and makes no room any more.</summary>
    internal void Ended(SiloRunArrays loop) => _loops.TryRemove(loop, out _);

    /// <summary>Calls of a loop that has ended had mapped arrays.</summary>
    internal void LeftMapped() => _garbage = 2;

    /// <summary>Takes into use what is here, or sees to it that it comes.</summary>
    internal async Task<ArrayAnswer> OfferAsync(SiloRunArrays run, ArrayOffer offer)
    {
        if (run.Has(offer.Path))
        {
            return ArrayAnswer.Here;
        }

        if (run.Store.TryLease(offer.Content) is { } lease)
        {
            return run.TryBring(offer.Path, lease) ? ArrayAnswer.Here : ArrayAnswer.RunEnded;
        }

        if (offer.AsksOnly)
        {
            return ArrayAnswer.Wanted;
        }

        if (offer.Blob is { } blob)
        {
            return await FetchAsync(run, offer, blob).ConfigureAwait(false);
        }

        Task? others = null;
        lock (_gate)
        {
            if (_incoming.TryGetValue(offer.Content, out var known))
            {
                others = known.Ended.Task;
            }
        }

        if (others is null)
        {
            var (found, incoming) = Receive(run.Store, offer.Content);
            if (found is not null)
            {
                return run.TryBring(offer.Path, found) ? ArrayAnswer.Here : ArrayAnswer.RunEnded;
            }

            if (incoming is { IsWhole: true })
            {
                // An empty file: no part of it will come.
                using (incoming)
                {
                    return run.TryBring(offer.Path, incoming.Keep()) ? ArrayAnswer.Here : ArrayAnswer.RunEnded;
                }
            }

            if (incoming is not null)
            {
                lock (_gate)
                {
                    if (_incoming.TryAdd(offer.Content, new Incoming(incoming) { ProgressAt = _time.GetTimestamp() }))
                    {
                        return ArrayAnswer.Wanted;
                    }
                }

                // Of another folder's store: a user's file, which two runs with two stores bring at once. One after the other.
                incoming.Dispose();
            }

            // Another silo of this host has it on its way.
            others = Task.Delay(TimeSpan.FromMilliseconds(200), _time);
        }

        await Task.WhenAny(others, Task.Delay(LongestWait, _time)).ConfigureAwait(false);
        return ArrayAnswer.OnItsWay;
    }

    /// <returns>Whether more parts are taken.</returns>
    internal bool Put(ArrayChunk chunk)
    {
        Incoming? incoming;
        lock (_gate)
        {
            if (!_incoming.TryGetValue(chunk.Content, out incoming))
            {
                return false;
            }

            incoming.ProgressAt = _time.GetTimestamp();
            incoming.Writing++;
        }

        var ends = false;
        try
        {
            if (chunk.Bytes is null || !incoming.Segment.Write(chunk.Offset, chunk.Bytes))
            {
                return true;
            }

            ends = true;
            using var lease = incoming.Segment.Keep();
            Interlocked.Increment(ref _received);
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        catch (Exception)
        {
            ends = true;
            throw;
        }
        finally
        {
            lock (_gate)
            {
                incoming.Writing--;
                incoming.ProgressAt = _time.GetTimestamp();
                if (ends)
                {
                    End(chunk.Content, incoming);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        ArrayStores.Reclaiming -= Collect;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _sweep.DisposeAsync().ConfigureAwait(false);
        if (_blobSweep is not null)
        {
            await _blobSweep.DisposeAsync().ConfigureAwait(false);
        }

        lock (_gate)
        {
            foreach (var (content, incoming) in _incoming.ToArray())
            {
                End(content, incoming);
            }
        }

        if (_blobs is not null)
        {
            await _blobs.DisposeAsync().ConfigureAwait(false);
        }

        if (_wasUsed)
        {
            // The runs have ended.
            Collect();
            ArrayStores.Tidy(maxIdleBytes: 0);
        }
    }

    private async Task<ArrayAnswer> FetchAsync(SiloRunArrays run, ArrayOffer offer, string blob)
    {
        if (_blobs is null)
        {
            // The client asked before this silo was started anew, without.
            return ArrayAnswer.BlobGone;
        }

        // Of that blob: two clients may each have the array in one of their own, and either may go before it has come.
        Task fetch;
        lock (_gate)
        {
            if (!_fetches.TryGetValue((offer.Content, blob), out fetch!))
            {
                // Not on this thread, not even its beginning: the gate is held.
                _fetches.Add((offer.Content, blob), fetch = Task.Run(() => FetchAsync(run.Store, offer.Content, blob)));
            }
        }

        await Task.WhenAny(fetch, Task.Delay(LongestWait, _time)).ConfigureAwait(false);
        if (!fetch.IsCompleted)
        {
            return ArrayAnswer.OnItsWay;
        }

        try
        {
            await fetch.ConfigureAwait(false);
        }
        catch (JoblibException exception) when (BlobStorage.IsGone(exception))
        {
            return ArrayAnswer.BlobGone;
        }

        return run.Store.TryLease(offer.Content) is not { } lease ? ArrayAnswer.OnItsWay : run.TryBring(offer.Path, lease) ? ArrayAnswer.Here : ArrayAnswer.RunEnded;
    }

    private async Task FetchAsync(ArrayStore store, ArrayContent content, string blob)
    {
        try
        {
            var beganAt = _time.GetTimestamp();
            while (!await TryFetchAsync(store, content, blob, beganAt).ConfigureAwait(false))
            {
                if (_time.GetElapsedTime(beganAt) > LongestClaim)
                {
                    throw new JoblibException("array-gone", $"Another process of '{Environment.MachineName}' has been fetching an array of {content.Length} bytes for '{LongestClaim}'. End it, or look why blob storage is so slow.");
                }

                await Task.Delay(ClaimPoll, _time, _stopping.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            // However it ends: who waits for it learns of it, and who comes later, of another run perhaps, begins anew.
            lock (_gate)
            {
                _fetches.Remove((content, blob));
            }
        }
    }

    /// <returns>False when somebody else of this host is bringing it.</returns>
    private async Task<bool> TryFetchAsync(ArrayStore store, ArrayContent content, string blob, long beganAt)
    {
        var (found, incoming) = Receive(store, content);
        using (incoming)
        using (found)
        {
            if (incoming is null)
            {
                return found is not null;
            }

            await _blobs!.Storage.DownloadAsync(blob, incoming, _stopping.Token).ConfigureAwait(false);
            using var lease = incoming.Keep();
            Interlocked.Increment(ref _fetched);
            ArrayLog.Fetched(_logger, content.Length, _blobs.Storage.Place, _time.GetElapsedTime(beganAt));
            return true;
        }
    }

    private void OnSweep()
    {
        try
        {
            DropSilent();
        }
        catch (Exception exception)
        {
            // Out of a timer it would end the process, and with it the runs of everybody.
            ArrayLog.NotTidied(_logger, exception);
        }
    }

    private void DropSilent()
    {
        if (_garbage > 0)
        {
            // Arrays that calls had mapped are freed when the collector has seen that nobody has them; an idle silo would not look. Twice: a worker may still have had its last batch.
            _garbage--;
            Collect();
            ArrayStores.Sweep();
        }

        lock (_gate)
        {
            foreach (var (content, incoming) in _incoming.Where(one => one.Value.Writing == 0 && _time.GetElapsedTime(one.Value.ProgressAt) >= Silence).ToArray())
            {
                ArrayLog.Silent(_logger, content.Length, Silence);
                End(content, incoming);
            }
        }
    }

    /// <summary>As the store's; what batches in hand do not need makes room.</summary>
    private (ArrayLease? Found, IncomingSegment? Incoming) Receive(ArrayStore store, ArrayContent content)
    {
        try
        {
            return store.TryReceive(content);
        }
        catch (JoblibException) when (_loops.Keys.Sum(loop => loop.Spare(long.MaxValue)) > 0)
        {
            // The store takes of it what it wants; the rest is found again by who asks for it.
            return store.TryReceive(content);
        }
    }

    // What calls on threads had mapped is in use, by this process, until the collector has seen that nobody has it.
    private void Collect()
    {
        if (_wasUsed)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private async Task SweepBlobsAsync() => await SharedBlobs.SweepAsync(_blobs!.Storage, _logger).ConfigureAwait(false);

    private void End(ArrayContent content, Incoming incoming)
    {
        if (_incoming.GetValueOrDefault(content) == incoming)
        {
            _incoming.Remove(content);
        }

        incoming.Ended.TrySetResult();
        incoming.Segment.Dispose();
    }

    /// <summary>What is known of a client's host.</summary>
    private sealed record Host(string[] Parents)
    {
        internal bool SharesFiles { get; init; }
    }

    /// <summary>An array that a client is sending. Guarded by the gate, but for its writes.</summary>
    private sealed class Incoming(IncomingSegment segment)
    {
        internal IncomingSegment Segment => segment;

        internal long ProgressAt { get; set; }

        internal int Writing { get; set; }

        internal TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
