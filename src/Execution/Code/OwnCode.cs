using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Orleans.Joblib;

/// <summary>This process's own assemblies: what comes back from silos names what was sent to them.</summary>
internal sealed class OwnCode : ICodeResolver
{
    // Weakly: an assembly of a collectible context must be free to go.
    private readonly ConcurrentDictionary<(string Name, Guid Mvid), WeakReference<Assembly>> _known = new();

    public Assembly Resolve(string name, Guid mvid)
    {
        if (_known.TryGetValue((name, mvid), out var known) && known.TryGetTarget(out var assembly))
        {
            return assembly;
        }

        var found = Find(name, mvid) ?? throw new JoblibException(
            "code-missing", $"A result names the assembly '{name}' (module {mvid:N}), which is not loaded in this process in that build. Return a type of an assembly that the caller uses too.");
        _known[(name, mvid)] = new WeakReference<Assembly>(found);
        return found;
    }

    private static Assembly? Find(string name, Guid mvid)
    {
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            if (assembly.GetName().Name == name && assembly.ManifestModule.ModuleVersionId == mvid)
            {
                return assembly;
            }
        }

        // The program refers to it and has not used it yet.
        try
        {
            var loaded = AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName(name));
            return loaded.ManifestModule.ModuleVersionId == mvid ? loaded : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
