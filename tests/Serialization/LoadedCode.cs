using System.Collections.Concurrent;
using System.Reflection;

namespace Orleans.Joblib.Tests;

/// <summary>The code that this process has loaded, as both sides of a payload.</summary>
internal sealed class LoadedCode : ICodeReferences, ICodeResolver
{
    internal ConcurrentDictionary<Assembly, bool> Named { get; } = new();

    public void Add(Assembly assembly) => Named.TryAdd(assembly, true);

    public Assembly Resolve(string name, Guid mvid) =>
        System.Runtime.Loader.AssemblyLoadContext.Default.Assemblies.FirstOrDefault(assembly => assembly.GetName().Name == name && assembly.ManifestModule.ModuleVersionId == mvid)
        ?? throw new JoblibException($"'{name}' is not here.");
}
