using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Orleans.Joblib.Silo;

/// <summary>A silo's code sets: one collectible load context each, made when the code set is complete, unloaded when nobody has used it for a time.</summary>
/// <remarks>
/// <c>_gate</c> guards everything below it. A code set is in <c>_byId</c> only while all its pieces are pinned in the cache. One that is still incomplete keeps
/// the pieces that it has in <c>_pending</c>, so that they are not evicted to make room for the others.
/// </remarks>
internal sealed class CodeContexts : IDisposable
{
    private const int SweepsPerIdleTime = 4;
    private static readonly TimeSpan LongestSweepPeriod = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<CodeHash, LoadedCode> _byId = [];
    private readonly Dictionary<CodeHash, PendingCode> _pending = [];
    private readonly List<WeakReference> _unloaded = [];
    private readonly CodeStore _store;
    private readonly TimeSpan _idleTime;
    private readonly TimeProvider _time;
    private readonly ILogger<CodeContexts> _logger;
    private readonly ITimer _sweep;
    private long _lastUnload;
    private bool _leakSaid;
    private bool _disposed;

    public CodeContexts(CodeStore store, IOptions<CodeCacheOptions> options, TimeProvider time, ILogger<CodeContexts> logger)
    {
        _store = store;
        _idleTime = options.Value.IdleTime;
        _time = time;
        _logger = logger;
        var period = _idleTime / SweepsPerIdleTime < LongestSweepPeriod ? _idleTime / SweepsPerIdleTime : LongestSweepPeriod;
        _sweep = time.CreateTimer(static contexts => ((CodeContexts)contexts!).UnloadIdle(), this, period, period);
    }

    /// <summary>Contexts that are loaded.</summary>
    internal int LoadedCount
    {
        get
        {
            lock (_gate)
            {
                return _byId.Values.Distinct().Count();
            }
        }
    }

    /// <summary>Makes a code set known, when the cache has all of it.</summary>
    /// <returns>The pieces that the cache lacks; empty when the code set can be acquired.</returns>
    /// <exception cref="JoblibException">This silo cannot run it or keep it.</exception>
    internal CodeItem[] Register(CodeManifest manifest)
    {
        Check(manifest);
        CodeItem[] unpinned;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (Known(manifest.Id) is { } known)
            {
                known.UsedAt = _time.GetTimestamp();
                return [];
            }

            var pending = Pending(manifest.Id);
            unpinned = [.. manifest.Items.Where(item => !pending.Blobs.ContainsKey(item.Hash)).DistinctBy(item => item.Hash)];
        }

        // Reads every byte to verify it: without the lock.
        CodeBlob?[] blobs = [.. unpinned.Select(item => _store.TryPin(item.Hash, item.Length))];
        lock (_gate)
        {
            // Meanwhile another client may have completed it, or the silo be going.
            if (_disposed || _byId.ContainsKey(manifest.Id))
            {
                DisposeAll(blobs);
                return [];
            }

            var pending = Pending(manifest.Id);
            DisposeAll(blobs.Where(blob => blob is not null && !pending.Blobs.TryAdd(blob.Hash, blob)));
            CodeItem[] missing = [.. unpinned.Where(item => !pending.Blobs.ContainsKey(item.Hash))];
            if (missing.Length == 0)
            {
                _pending.Remove(manifest.Id);
                Complete(manifest, pending);
            }

            return missing;
        }
    }

    /// <summary>Takes a code set into use.</summary>
    /// <returns>Null when it is not known here (any more): the client asks <see cref="ICodeGrain.MissingAsync"/> and sends what is missing.</returns>
    internal CodeLease? TryAcquire(CodeHash id)
    {
        lock (_gate)
        {
            if (_disposed || Known(id) is not { } code)
            {
                return null;
            }

            code.Leases++;
            code.UsedAt = _time.GetTimestamp();
            return new CodeLease(this, code);
        }
    }

    /// <summary>Takes a code set that somebody has in use into use once more.</summary>
    internal CodeLease Lease(LoadedCode code)
    {
        lock (_gate)
        {
            code.Leases++;
            return new CodeLease(this, code);
        }
    }

    internal void Release(LoadedCode code)
    {
        lock (_gate)
        {
            code.Leases--;
            code.UsedAt = _time.GetTimestamp();
            if (code.Leases == 0 && code.Ids.Count == 0)
            {
                // It was forgotten while in use.
                Close(code);
            }
        }
    }

    /// <summary>Contexts that were unloaded but are still in memory. The runtime frees them when nothing refers to them any more and a garbage collection has run.</summary>
    internal int CountUncollected()
    {
        lock (_gate)
        {
            _unloaded.RemoveAll(context => !context.IsAlive);
            return _unloaded.Count;
        }
    }

    public void Dispose()
    {
        _sweep.Dispose();
        lock (_gate)
        {
            _disposed = true;
            foreach (var code in _byId.Values.Distinct().ToArray())
            {
                Forget(code);
            }

            foreach (var pending in _pending.Values)
            {
                pending.Dispose();
            }

            _pending.Clear();
        }
    }

    private static void DisposeAll(IEnumerable<CodeBlob?> blobs)
    {
        foreach (var blob in blobs)
        {
            blob?.Dispose();
        }
    }

    private PendingCode Pending(CodeHash id)
    {
        ref var pending = ref CollectionsMarshal.GetValueRefOrAddDefault(_pending, id, out _);
        pending ??= new PendingCode();
        pending.UsedAt = _time.GetTimestamp();
        return pending;
    }

    private LoadedCode? Known(CodeHash id)
    {
        if (!_byId.TryGetValue(id, out var code))
        {
            return null;
        }

        if (!code.Context.IsBroken && code.Context.ServesWorkers())
        {
            return code;
        }

        Forget(code);
        return null;
    }

    private void Complete(CodeManifest manifest, PendingCode pending)
    {
        // A code set that has grown goes on in the context of what it has grown out of: its statics and compiled code stay, and its types stay the same types.
        var code = manifest.Earlier.Select(Known).FirstOrDefault(earlier => earlier is not null && earlier.Context.Fits(manifest.Items))
            ?? new LoadedCode(new CodeContext(manifest.Id.ToString(), _store));
        foreach (var item in manifest.Items)
        {
            code.Context.Add(item, pending.Blobs[item.Hash]);
        }

        // What the context had before it grew, it has pinned already.
        DisposeAll(pending.Blobs.Values.Where(blob => !code.Context.Owns(blob)));

        code.Ids.Add(manifest.Id);
        code.UsedAt = _time.GetTimestamp();
        _byId.Add(manifest.Id, code);
        CodeLog.CodeSetKnown(_logger, manifest.Id, manifest.Items.Length);
    }

    private void UnloadIdle()
    {
        lock (_gate)
        {
            foreach (var code in _byId.Values.Distinct().Where(code => code.Leases == 0 && _time.GetElapsedTime(code.UsedAt) >= _idleTime).ToArray())
            {
                CodeLog.CodeSetUnloading(_logger, code.Ids[0], _idleTime);
                Forget(code);
            }

            foreach (var (id, pending) in _pending.Where(pending => _time.GetElapsedTime(pending.Value.UsedAt) >= _idleTime).ToArray())
            {
                _pending.Remove(id);
                pending.Dispose();
            }

            _unloaded.RemoveAll(context => !context.IsAlive);
            if (_unloaded.Count == 0)
            {
                _leakSaid = false;
            }
            else if (!_leakSaid && _time.GetElapsedTime(_lastUnload) >= _idleTime)
            {
                _leakSaid = true;
                CodeLog.CodeSetsLeaked(_logger, _unloaded.Count, _idleTime);
            }
        }
    }

    private void Forget(LoadedCode code)
    {
        foreach (var id in code.Ids)
        {
            _byId.Remove(id);
        }

        code.Ids.Clear();
        if (code.Leases == 0)
        {
            Close(code);
        }
    }

    private void Close(LoadedCode code)
    {
        _unloaded.Add(new WeakReference(code.Context, trackResurrection: true));
        _lastUnload = _time.GetTimestamp();
        code.Context.Close();
    }

    private void Check(CodeManifest manifest)
    {
        if (CodeManifest.IdOf(manifest.Items) != manifest.Id)
        {
            throw new JoblibException("code-changed", $"The code set '{manifest.Id}' is not what its id says: client and silo are of different versions, or the message was damaged. Use the same version of Orleans.Joblib on both.");
        }

        var framework = Environment.Version;
        foreach (var item in manifest.Items)
        {
            if (FrameworkOf(item) is { } needed && (needed.Major, needed.Minor).CompareTo((framework.Major, framework.Minor)) > 0)
            {
                throw new JoblibException(
                    "code-framework",
                    $"The assembly '{item.Name}' was compiled for .NET {needed.Major}.{needed.Minor}, and the silo on '{Environment.MachineName}' runs on .NET {framework.Major}.{framework.Minor}. Compile it for net{framework.Major}.{framework.Minor}, or run the silo on a newer .NET.");
            }

            // It becomes a file's name here.
            if (item.Kind == CodeItemKind.NativeLibrary && (item.Name is "" or "." or ".." || item.Name.AsSpan().IndexOfAny('/', '\\', '\0') >= 0))
            {
                throw new JoblibException("code-changed", $"'{item.Name}' is not the file name of a native library. Use the same version of Orleans.Joblib on client and silo.");
            }

            if (item.Platform.Length > 0 && item.Platform != CodePlatform.Current)
            {
                throw new JoblibException(
                    "code-platform",
                    $"'{item.Name}' is compiled for '{item.Platform}', and the silo on '{Environment.MachineName}' is '{CodePlatform.Current}' ({RuntimeInformation.OSDescription}). Run the program on the silo's platform, or, if it is an assembly, publish it without ReadyToRun.");
            }
        }

        var bytes = manifest.Items.Sum(item => item.Length);
        if (bytes > _store.MaxBytes)
        {
            throw new JoblibException(
                "code-cache-full",
                string.Create(CultureInfo.InvariantCulture, $"The program's code takes {bytes} bytes, more than the {_store.MaxBytes} bytes of the code cache '{_store.Root}' on '{Environment.MachineName}'. Raise CodeCacheOptions.MaxBytes (joblib-silo: --code-cache-size)."));
        }
    }

    private static Version? FrameworkOf(CodeItem item)
    {
        const string Core = ".NETCoreApp,Version=v";
        return item.Framework.StartsWith(Core, StringComparison.Ordinal) && Version.TryParse(item.Framework.AsSpan(Core.Length), out var version) ? version : null;
    }
}
