using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;

namespace Orleans.Joblib;

/// <summary>The code that a run's calls need and a silo may lack: the assemblies that payloads name, and what those refer to.</summary>
/// <remarks>
/// Thread-safe. It only grows; each growth is another code set on the wire, which says which one it extends. <c>_gate</c> guards the pieces and the snapshot;
/// an assembly is in <c>_known</c> only once everything that it refers to is among the pieces.
/// </remarks>
internal sealed class CodeSet : ICodeReferences
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<Assembly, bool> _known = new();
    private readonly Dictionary<(CodeItemKind Kind, string Name, string Culture), CodeItem> _items = [];
    private readonly Dictionary<CodeHash, CodeSource> _sources = [];
    private readonly string[] _cultures;
    private CodeSnapshot? _snapshot;
    private bool _grown;

    /// <summary>An empty set, which will take the satellites of the caller's UI culture.</summary>
    internal CodeSet()
        : this(CultureInfo.CurrentUICulture.Name)
    {
    }

    /// <summary>An empty set, which will take the satellites of a UI culture and of those that it is a variant of.</summary>
    internal CodeSet(string uiCulture)
    {
        var parts = uiCulture.Split('-', StringSplitOptions.RemoveEmptyEntries);
        _cultures = [.. Enumerable.Range(0, parts.Length).Select(less => string.Join('-', parts[..^less]))];
    }

    /// <summary>Adds an assembly and what it refers to; shared code adds nothing.</summary>
    /// <exception cref="JoblibException">One of them cannot be sent; nothing was added.</exception>
    public void Add(Assembly assembly)
    {
        if (_known.ContainsKey(assembly))
        {
            return;
        }

        if (!SharedCode.IsShared(assembly))
        {
            lock (_gate)
            {
                AddClosure(AssemblyFiles.Locate(assembly));
            }
        }

        _known.TryAdd(assembly, true);
    }

    /// <summary>The code set as it is now; the same object until it grows.</summary>
    internal CodeSnapshot Snapshot()
    {
        lock (_gate)
        {
            if (_snapshot is null || _grown)
            {
                _snapshot = new CodeSnapshot(CodeManifest.Create(_items.Values, _snapshot?.Manifest), new Dictionary<CodeHash, CodeSource>(_sources));
                _grown = false;
            }

            return _snapshot;
        }
    }

    private void AddClosure(LocatedAssembly root)
    {
        var found = new Dictionary<(CodeItemKind, string, string), (CodeItem Item, CodeSource Source)>();
        var waiting = new Queue<LocatedAssembly>();
        Note(root.Facts.Item, root.Source);
        waiting.Enqueue(root);
        while (waiting.TryDequeue(out var assembly))
        {
            foreach (var reference in assembly.Facts.References)
            {
                if (!SharedCode.IsShared(reference.Name!, reference.Version)
                    && !Holds(reference)
                    && AssemblyFiles.Find(reference, assembly.Context) is { } located
                    && Note(located.Facts.Item, located.Source))
                {
                    waiting.Enqueue(located);
                }
            }

            foreach (var (item, source) in assembly.Facts.NativeImports.SelectMany(import => NativeLibraries.Find(import, assembly.Path)))
            {
                Note(item, source);
            }

            foreach (var satellite in _cultures.Select(culture => AssemblyFiles.FindSatellite(assembly, culture)).OfType<LocatedAssembly>())
            {
                Note(satellite.Facts.Item, satellite.Source);
            }
        }

        foreach (var (key, (item, source)) in found)
        {
            _items.Add(key, item);
            _sources.TryAdd(item.Hash, source);
            _grown = true;
        }

        // A reference asks for a name, and gets what the program has, whatever the version: one name, one piece.
        bool Holds(AssemblyName reference) =>
            (CodeItemKind.Assembly, reference.Name!, reference.CultureName ?? "") is var key && (_items.ContainsKey(key) || found.ContainsKey(key));

        bool Note(CodeItem item, CodeSource source)
        {
            var key = (item.Kind, item.Name, item.Culture);
            var present = _items.GetValueOrDefault(key) ?? found.GetValueOrDefault(key).Item;
            if (present is null)
            {
                found.Add(key, (item, source));
                return true;
            }

            return present.Hash == item.Hash
                ? false
                : throw new JoblibException(
                    "code-conflict",
                    $"The run needs two different '{item.Name}' ({Identity(present)} and {Identity(item)}; the second from '{source.Place}'). Calls that need different versions of an assembly belong in runs of their own.");
        }
    }

    private static string Identity(CodeItem item) => item.Kind == CodeItemKind.Assembly ? $"version {item.Version}, module {item.Mvid:N}" : item.Hash.ToString();
}
