using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;

namespace Orleans.Joblib.Silo;

/// <summary>A code set that is loaded. Its own pieces come from the cache, everything else from the silo.</summary>
/// <remarks>
/// Assemblies are loaded from bytes that were hashed a moment before, not from a path: what happens to the cache's files later cannot reach code that runs.
/// The price is memory of their own size, and that <c>Assembly.Location</c> is empty. <c>_gate</c> guards the pieces, which only grow.
/// </remarks>
internal sealed class CodeContext(string name, CodeStore store) : PieceContext(name, isCollectible: true), ICodeResolver, IWorkerCodeSource
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Name, string Culture), (CodeItem Item, CodeBlob Blob)> _assemblies = new(NameComparer.Instance);
    private readonly Dictionary<(string Name, string Culture), Assembly> _loaded = new(NameComparer.Instance);
    private readonly Dictionary<string, CodeBlob> _natives = new(StringComparer.Ordinal);
    private readonly HashSet<CodeBlob> _owned = [];
    private readonly Queue<CodeItem> _unsent = [];
    private readonly List<Frame> _frames = [];
    private (string Directory, FileStream Lock)? _nativeDirectory;
    private DateTime _completeAt;

    /// <summary>Whether a piece turned out to be unreadable: the context must not be given out again.</summary>
    internal bool IsBroken { get; private set; }

    /// <summary>Whether worker processes that start now find its pieces: they read the files by name, and somebody may have cleaned up. What is loaded here needs none.</summary>
    internal bool ServesWorkers()
    {
        lock (_gate)
        {
            // Asked for with every batch: while nothing comes to the cache and nothing goes, nothing is missing.
            var changedAt = _frames.Count == 0 ? _completeAt : store.BlobsChangedAt;
            if (changedAt != _completeAt)
            {
                if (!_owned.All(blob => File.Exists(blob.Path)))
                {
                    return false;
                }

                _completeAt = changedAt;
            }

            return true;
        }
    }

    /// <summary>Whether these pieces can be added: no name stands for two things.</summary>
    internal bool Fits(CodeItem[] items)
    {
        lock (_gate)
        {
            return items.All(item => item.Kind == CodeItemKind.Assembly
                ? !_assemblies.TryGetValue((item.Name, item.Culture), out var present) || present.Item.Hash == item.Hash
                : !_natives.TryGetValue(item.Name, out var native) || native.Hash == item.Hash);
        }
    }

    /// <summary>Adds a piece unless it is there.</summary>
    internal void Add(CodeItem item, CodeBlob blob)
    {
        lock (_gate)
        {
            if (item.Kind == CodeItemKind.Assembly ? _assemblies.TryAdd((item.Name, item.Culture), (item, blob)) : _natives.TryAdd(item.Name, blob))
            {
                _owned.Add(blob);
                _unsent.Enqueue(item);
            }
        }
    }

    /// <summary>Whether the context took a piece and will give it back when it closes; two names may share one.</summary>
    internal bool Owns(CodeBlob blob)
    {
        lock (_gate)
        {
            return _owned.Contains(blob);
        }
    }

    /// <summary>Makes frames for worker processes of what was added since. Those read the pieces' files themselves, and verify them.</summary>
    /// <exception cref="JoblibException">The cache's directory cannot be used.</exception>
    internal void PrepareFrames()
    {
        lock (_gate)
        {
            while (_unsent.TryPeek(out var item))
            {
                _frames.Add(item.Kind == CodeItemKind.Assembly
                    ? CodePiece.Write(item, _assemblies[(item.Name, item.Culture)].Blob.Path, [], verify: true)
                    : CodePiece.Write(item, Path.Combine(NativeDirectory(), item.Name), []));
                _unsent.Dequeue();
            }
        }
    }

    public IReadOnlyList<Frame> FramesFrom(ref int sent)
    {
        lock (_gate)
        {
            var frames = _frames[sent..];
            sent = _frames.Count;
            return frames;
        }
    }

    public Assembly Resolve(string name, Guid mvid)
    {
        lock (_gate)
        {
            var item = _assemblies.TryGetValue((name, ""), out var present) ? present.Item : null;
            return item is null
                ? throw new JoblibException(
                    "code-missing",
                    $"The code set '{Name}' does not hold the assembly '{name}' on '{Environment.MachineName}', which a call names. It was not sent with the run: report this with the call's types.")
                : item.Mvid != mvid
                    ? throw new JoblibException(
                        "code-missing",
                        $"The code set '{Name}' holds the assembly '{name}' in another build (module {item.Mvid:N}) than a call names (module {mvid:N}). Calls that need different builds of an assembly belong in runs of their own.")
                    : LoadPiece(name, "")!;
        }
    }

    /// <summary>Gives the pieces back and unloads. Nothing is given out any more.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            foreach (var blob in _owned)
            {
                blob.Dispose();
            }

            // The runtime holds this object until its assemblies are collected, so it must not hold them.
            _loaded.Clear();
            _assemblies.Clear();
            _natives.Clear();
            _owned.Clear();

            if (_nativeDirectory is var (directory, held))
            {
                _nativeDirectory = null;
                CodeStore.DeleteNativeDirectory(directory, held);
            }
        }

        Unload();
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        lock (_gate)
        {
            return LoadPiece(assemblyName.Name!, assemblyName.CultureName ?? "");
        }
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName)
    {
        lock (_gate)
        {
            var name = CodePlatform.NativeFileNames(unmanagedDllName).FirstOrDefault(_natives.ContainsKey);
            return name is null ? 0 : LoadNative(Path.Combine(NativeDirectory(), name), _natives.Keys.Select(other => Path.Combine(NativeDirectory(), other)));
        }
    }

    private Assembly? LoadPiece(string name, string culture)
    {
        if (_loaded.TryGetValue((name, culture), out var loaded))
        {
            return loaded;
        }

        if (!_assemblies.TryGetValue((name, culture), out var piece))
        {
            return null;
        }

        try
        {
            using var bytes = new MemoryStream(piece.Blob.Read());
            loaded = LoadFromStream(bytes);
        }
        catch (JoblibException)
        {
            IsBroken = true;
            throw;
        }

        _loaded.Add((name, culture), loaded);
        return loaded;
    }

    // Under their own names and side by side, as the libraries expect each other.
    private string NativeDirectory()
    {
        if (_nativeDirectory is null)
        {
            _nativeDirectory = store.NewNativeDirectory();
            store.Guarded(() =>
            {
                foreach (var (name, blob) in _natives)
                {
                    Place(name, blob);
                }

                return true;
            });
        }

        // A code set that has grown since.
        foreach (var (name, blob) in _natives.Where(native => !File.Exists(Path.Combine(_nativeDirectory.Value.Directory, native.Key))))
        {
            store.Guarded(() => Place(name, blob));
        }

        return _nativeDirectory.Value.Directory;
    }

    private bool Place(string name, CodeBlob blob)
    {
        var path = Path.Combine(_nativeDirectory!.Value.Directory, name);
        if (OperatingSystem.IsWindows())
        {
            File.WriteAllBytes(path, blob.Read());
        }
        else
        {
            // The piece cannot go while it is pinned, and once mapped it may.
            File.CreateSymbolicLink(path, blob.Path);
        }

        return true;
    }

    private sealed class NameComparer : IEqualityComparer<(string Name, string Culture)>
    {
        internal static readonly NameComparer Instance = new();

        public bool Equals((string Name, string Culture) x, (string Name, string Culture) y) =>
            string.Equals(x.Name, y.Name, StringComparison.OrdinalIgnoreCase) && string.Equals(x.Culture, y.Culture, StringComparison.OrdinalIgnoreCase);

        public int GetHashCode((string Name, string Culture) pair) =>
            string.Create(CultureInfo.InvariantCulture, $"{pair.Name}/{pair.Culture}").GetHashCode(StringComparison.OrdinalIgnoreCase);
    }
}
