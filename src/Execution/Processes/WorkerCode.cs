using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Orleans.Joblib;

/// <summary>In a worker process: finds the assemblies that payloads name, beside the program or among the pieces that it sent. Thread-safe.</summary>
/// <remarks>
/// Pieces go into contexts of their own, one for each build of a name, and refer to each other by name, the newest first: a program that runs its scripts again has many
/// builds of one name.
/// </remarks>
internal sealed class WorkerCode : ICodeResolver
{
    private readonly ConcurrentDictionary<Guid, Assembly> _known = new();
    private readonly ConcurrentDictionary<Guid, CodePiece> _pieces = new();
    private readonly ConcurrentDictionary<string, Guid> _newest = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, string> _natives = new(StringComparer.Ordinal);

    internal WorkerCode() => AssemblyLoadContext.Default.Resolving += (_, name) => FindByName(name);

    internal void Add(CodePiece piece)
    {
        if (piece.Kind == CodeItemKind.NativeLibrary)
        {
            _natives[piece.Name] = piece.Path!;
            return;
        }

        _pieces[piece.Mvid] = piece;
        _newest[KeyOf(piece.Name, piece.Culture)] = piece.Mvid;
    }

    public Assembly Resolve(string name, Guid mvid) => _known.TryGetValue(mvid, out var known) ? known : Find(name, mvid);

    private Assembly Find(string name, Guid mvid)
    {
        Assembly? other = null;
        if (!_pieces.ContainsKey(mvid))
        {
            try
            {
                other = AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName(name));
                if (other.ManifestModule.ModuleVersionId == mvid)
                {
                    return _known.GetOrAdd(mvid, other);
                }
            }
            catch (IOException)
            {
                // Not beside the program either.
            }

            throw new JoblibException("code-missing", other is null
                ? $"The worker process does not find the assembly '{name}', which a call names. Put it beside the program, or load it there with Assembly.LoadFrom."
                : $"The file of '{name}' was built anew while the program runs: the program has module {mvid:N}, a worker process started since finds module {other.ManifestModule.ModuleVersionId:N}. Start the program again.");
        }

        return Load(name, mvid);
    }

    private Assembly Load(string name, Guid mvid)
    {
        lock (_pieces)
        {
            if (_known.TryGetValue(mvid, out var known))
            {
                return known;
            }

            var piece = _pieces[mvid];
            if (piece.Hash is not null)
            {
                // Code that came from elsewhere may lack what it refers to and does not use.
                OrleansStandardServices.Prepare();
            }

            var context = new WorkerContext(this, name);
            var assembly = piece is { Path: { } path, Hash: null } ? context.LoadFromAssemblyPath(path) : context.LoadFromStream(new MemoryStream(piece.ReadAll()));
            return assembly.ManifestModule.ModuleVersionId == mvid
                ? _known.GetOrAdd(mvid, assembly)
                : throw new JoblibException("code-missing", $"'{piece.Path}' was built anew while the program runs. Start the program again.");
        }
    }

    private static string KeyOf(string name, string? culture) => string.IsNullOrEmpty(culture) ? name : culture + "/" + name;

    private Assembly? FindByName(AssemblyName name) =>
        _newest.TryGetValue(KeyOf(name.Name!, name.CultureName), out var mvid) ? Load(name.Name!, mvid) : null;

    private sealed class WorkerContext(WorkerCode code, string name) : PieceContext(name, isCollectible: false)
    {
        protected override Assembly? Load(AssemblyName assemblyName) => code.FindByName(assemblyName);

        protected override nint LoadUnmanagedDll(string unmanagedDllName)
        {
            foreach (var file in CodePlatform.NativeFileNames(unmanagedDllName))
            {
                if (code._natives.TryGetValue(file, out var sent))
                {
                    return LoadNative(sent, code._natives.Values);
                }
            }

            foreach (var folder in Assemblies.Select(assembly => assembly.Location).Where(path => path.Length > 0).Select(Path.GetDirectoryName))
            {
                foreach (var file in CodePlatform.NativeFileNames(unmanagedDllName))
                {
                    if (File.Exists(Path.Combine(folder!, file)))
                    {
                        return LoadUnmanagedDllFromPath(Path.Combine(folder!, file));
                    }
                }
            }

            return 0;
        }
    }
}
