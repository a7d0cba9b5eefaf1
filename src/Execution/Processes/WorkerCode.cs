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
    private readonly ConcurrentDictionary<(string Name, Guid Mvid), Assembly> _known = new();
    private readonly ConcurrentDictionary<Guid, CodePiece> _pieces = new();
    private readonly ConcurrentDictionary<string, Guid> _newest = new(StringComparer.OrdinalIgnoreCase);

    internal WorkerCode() => AssemblyLoadContext.Default.Resolving += (_, name) => FindByName(name);

    internal void Add(CodePiece piece)
    {
        _pieces[piece.Mvid] = piece;
        _newest[piece.Name] = piece.Mvid;
    }

    public Assembly Resolve(string name, Guid mvid) => _known.TryGetValue((name, mvid), out var known) ? known : Find(name, mvid);

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
                    return _known.GetOrAdd((name, mvid), other);
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
            if (_known.TryGetValue((name, mvid), out var known))
            {
                return known;
            }

            var piece = _pieces[mvid];
            var context = new PieceContext(this, name);
            var assembly = piece.Path is { } path ? context.LoadFromAssemblyPath(path) : context.LoadFromStream(new MemoryStream(piece.Bytes.ToArray()));
            return assembly.ManifestModule.ModuleVersionId == mvid
                ? _known.GetOrAdd((name, mvid), assembly)
                : throw new JoblibException("code-missing", $"'{piece.Path}' was built anew while the program runs. Start the program again.");
        }
    }

    private Assembly? FindByName(AssemblyName name) => _newest.TryGetValue(name.Name!, out var mvid) ? Load(name.Name!, mvid) : null;

    private sealed class PieceContext(WorkerCode code, string name) : AssemblyLoadContext(name)
    {
        protected override Assembly? Load(AssemblyName assemblyName) => code.FindByName(assemblyName);

        protected override nint LoadUnmanagedDll(string unmanagedDllName)
        {
            foreach (var folder in Assemblies.Select(assembly => Path.GetDirectoryName(assembly.Location)).Where(folder => !string.IsNullOrEmpty(folder)))
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
