using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using Orleans.Serialization.Configuration;

namespace Orleans.Joblib;

/// <summary>Types that Orleans' own serializer was taught by the user's assemblies: <c>[GenerateSerializer]</c>, registered serializers, converters with surrogates.</summary>
/// <remarks>
/// Orleans builds its registry once, of the assemblies that the process was started with. Code that was loaded later, perhaps to be unloaded again, needs a registry of
/// its own, which this owns: one for each list of assemblies. Assemblies without generated code cost nothing. Thread-safe.
/// </remarks>
internal sealed class OrleansSerializers
{
    private readonly ConcurrentDictionary<string, Lazy<OrleansRegistry>> _registries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Assembly, bool> _taught = new();

    /// <summary>How a type is written by Orleans; null when it is not.</summary>
    internal OrleansRegistry? For(Type type)
    {
        if (SharedCode.IsShared(type.Assembly))
        {
            return null;
        }

        // What the type's own program has loaded: a converter may live in another assembly than the type.
        var context = AssemblyLoadContext.GetLoadContext(type.Assembly) ?? AssemblyLoadContext.Default;
        var assemblies = context.Assemblies.Where(IsTaught).ToArray();
        if (assemblies.Length == 0)
        {
            return null;
        }

        var registry = For(assemblies);
        return registry.Knows(type) ? registry : null;
    }

    internal OrleansRegistry For(IReadOnlyCollection<Assembly> assemblies)
    {
        var sorted = assemblies.OrderBy(assembly => assembly.FullName, StringComparer.Ordinal).ThenBy(assembly => assembly.ManifestModule.ModuleVersionId).ToArray();
        var key = string.Join(';', sorted.Select(assembly => $"{assembly.GetName().Name} {assembly.ManifestModule.ModuleVersionId} {assembly.GetHashCode()}"));
        return _registries.GetOrAdd(key, _ => new Lazy<OrleansRegistry>(() => new OrleansRegistry(sorted))).Value;
    }

    private bool IsTaught(Assembly assembly) =>
        _taught.GetOrAdd(assembly, static candidate => !candidate.IsDynamic && !SharedCode.IsShared(candidate) && candidate.IsDefined(typeof(TypeManifestProviderAttribute)));
}
