using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Orleans.Joblib;

/// <summary>The code of this program that its worker processes do not find by themselves: assemblies in memory, or loaded from elsewhere than beside the program.</summary>
/// <remarks>Thread-safe; it only grows. A worker is sent each piece once, before the first batch that may name it.</remarks>
internal sealed class ProgramCode : ICodeReferences
{
    private static readonly Lazy<HashSet<string>> ProgramFiles = new(() =>
        AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") is string list ? [.. list.Split(Path.PathSeparator)] : []);

    private readonly ConcurrentDictionary<Assembly, bool> _known = new();
    private readonly Lock _gate = new();
    private readonly List<Frame> _pieces = [];
    private readonly HashSet<Guid> _modules = [];

    /// <exception cref="JoblibException">The assembly has no file form.</exception>
    public void Add(Assembly assembly)
    {
        if (_known.ContainsKey(assembly))
        {
            return;
        }

        if (!IsOfProgram(assembly) && !SharedCode.IsShared(assembly))
        {
            lock (_gate)
            {
                AddPieces(AssemblyFiles.Locate(assembly));
            }
        }

        _known.TryAdd(assembly, true);
    }

    /// <summary>The pieces that a worker has not been sent, given how many it has.</summary>
    internal IReadOnlyList<Frame> FramesFrom(ref int sent)
    {
        lock (_gate)
        {
            if (sent == _pieces.Count)
            {
                return [];
            }

            var frames = _pieces[sent..];
            sent = _pieces.Count;
            return frames;
        }
    }

    private static bool IsOfProgram(Assembly assembly) =>
        AssemblyLoadContext.GetLoadContext(assembly) == AssemblyLoadContext.Default
        && (assembly.Location is { Length: > 0 } path ? ProgramFiles.Value.Contains(path) : Bundle.OfThisProcess?.Find(assembly.GetName().Name + ".dll") is not null);

    private void AddPieces(LocatedAssembly root)
    {
        var waiting = new Queue<LocatedAssembly>([root]);
        while (waiting.TryDequeue(out var assembly))
        {
            var item = assembly.Facts.Item;
            if (!_modules.Add(item.Mvid))
            {
                continue;
            }

            // A file may lie where only this program's resolver looks, but it does lie there: the worker reads it itself.
            _pieces.Add(CodePiece.Write(item, assembly.Path, assembly.Path is null ? assembly.Source.ReadAll() : []));
            foreach (var reference in assembly.Facts.References)
            {
                if (!SharedCode.IsShared(reference.Name!, reference.Version)
                    && AssemblyFiles.Find(reference, assembly.Context) is { } located
                    && !(located.Context == AssemblyLoadContext.Default && located.Path is { } path && ProgramFiles.Value.Contains(path)))
                {
                    waiting.Enqueue(located);
                }
            }
        }
    }
}
