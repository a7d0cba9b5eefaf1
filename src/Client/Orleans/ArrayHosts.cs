using System.Collections.Concurrent;
using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>What silos' hosts share with this process, by proof: asked once for each silo and list of folders. One per client; thread-safe.</summary>
internal sealed class ArrayHosts(IGrainFactory grains)
{
    private const int MostKnown = 1024;

    // Names this process's folders to silos. Silos keep it by client process, not by run.
    private readonly ConcurrentDictionary<string, Guid> _ids = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(SiloAddress Silo, Guid Id), Lazy<Task<Sharing>>> _known = new();

    internal Guid IdOf(ArraySettings settings) => _ids.GetOrAdd(string.Join('\0', settings.Parents), static _ => Guid.NewGuid());

    internal async Task<Sharing> OfAsync(SiloAddress silo, ArraySettings settings)
    {
        var id = IdOf(settings);
        if (_known.Count >= MostKnown)
        {
            // Of silos that are gone, most of them. To ask the others once more costs a message each.
            _known.Clear();
        }

        var asked = _known.GetOrAdd((silo, id), key => new Lazy<Task<Sharing>>(() => Task.Run(() => AskAsync(key.Silo, key.Id, settings.Parents))));
        try
        {
            return await asked.Value.ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The next one asks again.
            _known.TryRemove(new KeyValuePair<(SiloAddress, Guid), Lazy<Task<Sharing>>>((silo, id), asked));
            throw;
        }
    }

    /// <summary>The silo says that it has not been asked: it is another one under the old address, or has forgotten.</summary>
    internal void Forget(SiloAddress silo, ArraySettings settings) => _known.TryRemove((silo, IdOf(settings)), out _);

    private async Task<Sharing> AskAsync(SiloAddress silo, Guid id, IReadOnlyList<string> parents)
    {
        var tokens = new List<StoreToken>();
        try
        {
            foreach (var parent in parents)
            {
                try
                {
                    tokens.Add(StoreToken.Write(parent));
                }
                catch (JoblibException)
                {
                    // The store, too, does without a folder that cannot be used.
                }
            }

            var files = StoreToken.Namespace();
            var host = await grains.GetGrain<IArrayGrain>(SlotKey.ForArrays(silo)).OpenAsync(id, [.. tokens.Select(token => token.Path)], files).ConfigureAwait(false);
            HashSet<string> shared = [.. tokens.Where((token, i) => token.IsProvenBy(host.Proofs.ElementAtOrDefault(i))).Select(token => Path.GetDirectoryName(token.Path)!)];
            return new Sharing(shared, shared.Count > 0 && host.Files == files, host.Blobs);
        }
        finally
        {
            tokens.ForEach(token => token.Dispose());
        }
    }

    /// <summary>What a silo's host shares with this one.</summary>
    /// <param name="Folders">Folders of segments that both see.</param>
    /// <param name="SharesFiles">Whether both see the same files.</param>
    /// <param name="Blobs">The silo's blob storage; null for none.</param>
    internal sealed record Sharing(IReadOnlySet<string> Folders, bool SharesFiles, string? Blobs)
    {
        /// <summary>Whether the silo's calls find an array at its place.</summary>
        internal bool Sees(ArrayReference reference) =>
            SharesFiles || (reference.Place == ArrayPlace.Segment && Folders.Contains(Path.GetDirectoryName(reference.Path)!));
    }
}
