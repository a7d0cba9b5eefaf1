using System.Collections.Concurrent;
using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>Brings code sets to silos: asks once per silo and set, and sends only what the silo lacks. One per client; thread-safe.</summary>
/// <remarks>
/// Chunks are not compressed: zstd's fastest level packs assemblies to 0.4 at 60 to 330 MB/s a core and unpacks them at about the same rate, on the silo's cores
/// that calls need, so it would only pay on links slower than that, once per build of a program (docs/decisions.md).
/// </remarks>
internal sealed class CodeShipper(IGrainFactory grains)
{
    private const int MostTries = 4;
    private const int ChunksInFlight = 8;

    // Of 2 s each, for other clients that are sending the same.
    private const int MostWaits = 10;

    // Messages may be lost with a gateway or a connection.
    private const int MostLosses = 3;

    private readonly ConcurrentDictionary<(SiloAddress Silo, CodeHash Code), Task> _known = new();
    private long _bytesSent;

    /// <summary>Code sent so far, in bytes.</summary>
    internal long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Returns when the silo has the code set. Costs nothing when this client has asked before.</summary>
    /// <exception cref="JoblibException">The silo cannot run it, cannot keep it, or this process no longer has it.</exception>
    internal Task EnsureAsync(SiloAddress silo, CodeSnapshot code)
    {
        var key = (silo, code.Manifest.Id);
        if (_known.TryGetValue(key, out var known))
        {
            return known;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_known.TryAdd(key, done.Task))
        {
            return EnsureAsync(silo, code);
        }

        _ = RunAsync();
        return done.Task;

        async Task RunAsync()
        {
            try
            {
                await ShipAsync(grains.GetGrain<ICodeGrain>(SlotKey.ForCode(silo)), silo, code).ConfigureAwait(false);
                done.SetResult();
            }
            catch (Exception exception)
            {
                // The next batch asks again: a silo may have come back, a disk may have been cleared.
                Forget(silo, code.Manifest.Id);
                done.SetException(exception);
            }
        }
    }

    /// <summary>Has the next <see cref="EnsureAsync"/> ask the silo again: it said that it does not have the code set, or it has left.</summary>
    internal void Forget(SiloAddress silo, CodeHash code) => _known.TryRemove((silo, code), out _);

    private async Task ShipAsync(ICodeGrain grain, SiloAddress silo, CodeSnapshot code)
    {
        var (waits, losses) = (0, 0);
        for (var tries = 0; tries < MostTries;)
        {
            CodeHash[]? missing;
            try
            {
                missing = await grain.MissingAsync(code.Manifest, all: waits >= MostWaits || losses > 0).ConfigureAwait(false);
            }
            catch (Exception exception) when (ClusterRun.MayPass(exception) && ++losses < MostLosses)
            {
                continue;
            }

            if (missing is null)
            {
                waits++;
                continue;
            }

            if (missing.Length == 0)
            {
                return;
            }

            tries++;
            using var places = new SemaphoreSlim(ChunksInFlight);
            await Parallel.ForEachAsync(
                missing, new ParallelOptions { MaxDegreeOfParallelism = ChunksInFlight }, async (hash, _) => await SendAsync(grain, code, hash, places).ConfigureAwait(false)).ConfigureAwait(false);
        }

        throw new JoblibException(
            "code-not-kept",
            $"The silo '{silo}' lost pieces of the code set '{code.Manifest.Id}' as often as they were sent ({MostTries} times). Its code cache may be too small for the programs that use it, or something else deletes its files: see the silo's log.");
    }

    private async Task SendAsync(ICodeGrain grain, CodeSnapshot code, CodeHash hash, SemaphoreSlim places)
    {
        var item = Array.Find(code.Manifest.Items, item => item.Hash == hash) ?? throw new InvalidOperationException($"The silo asked for '{hash}', which the code set does not hold.");
        var source = code.Sources[hash];
        var sending = new List<Task>();
        try
        {
            var stream = Open(source, item);
            await using (stream.ConfigureAwait(false))
            {
                for (var offset = 0L; offset < item.Length || offset == 0; offset += CodeChunk.MostBytes)
                {
                    var bytes = new byte[Math.Min(CodeChunk.MostBytes, item.Length - offset)];
                    await ReadAsync(stream, bytes, source, item).ConfigureAwait(false);
                    await places.WaitAsync().ConfigureAwait(false);
                    sending.Add(PutAsync(new CodeChunk(hash, item.Length, offset, bytes)));
                    if (sending.Find(put => put.IsFaulted) is { } failed)
                    {
                        await failed.ConfigureAwait(false);
                    }
                }
            }
        }
        finally
        {
            await Task.WhenAll(sending).ConfigureAwait(false);
        }

        async Task PutAsync(CodeChunk chunk)
        {
            try
            {
                for (var losses = 0; ;)
                {
                    try
                    {
                        await grain.PutAsync(chunk).ConfigureAwait(false);
                        break;
                    }
                    catch (Exception exception) when (ClusterRun.MayPass(exception) && ++losses < MostLosses)
                    {
                        // A part may come twice.
                    }
                }

                Interlocked.Add(ref _bytesSent, chunk.Bytes.Length);
                JoblibInstruments.CodeSent(chunk.Bytes.Length);
            }
            finally
            {
                places.Release();
            }
        }
    }

    private static Stream Open(CodeSource source, CodeItem item)
    {
        try
        {
            return source.Open();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Changed(source, item, exception);
        }
    }

    private static async Task ReadAsync(Stream stream, byte[] bytes, CodeSource source, CodeItem item)
    {
        try
        {
            await stream.ReadExactlyAsync(bytes).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw Changed(source, item, exception);
        }
    }

    private static JoblibException Changed(CodeSource source, CodeItem item, Exception exception) => new(
        "code-changed", $"'{item.Name}' could not be read from '{source.Place}' any more: {exception.Message} Do not build or delete a program while it runs; start it again.", exception);
}
