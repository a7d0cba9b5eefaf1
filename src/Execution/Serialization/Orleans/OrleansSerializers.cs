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

        // The far side needs what teaches this type and what that builds on, not whatever else this process has been taught.
        if (For(assemblies).TeacherOf(type) is not { } teacher)
        {
            return null;
        }

        var needed = Needed([teacher, .. AssembliesOf(type)], context);
        return For([.. assemblies.Where(needed.Contains)]);
    }

    internal OrleansRegistry For(IReadOnlyCollection<Assembly> assemblies)
    {
        var sorted = assemblies.OrderBy(assembly => assembly.FullName, StringComparer.Ordinal).ThenBy(assembly => assembly.ManifestModule.ModuleVersionId).ToArray();
        var key = string.Join(';', sorted.Select(assembly => $"{assembly.GetName().Name} {assembly.ManifestModule.ModuleVersionId} {assembly.GetHashCode()}"));
        return _registries.GetOrAdd(key, _ => new Lazy<OrleansRegistry>(() => new OrleansRegistry(sorted))).Value;
    }

    private static IEnumerable<Assembly> AssembliesOf(Type type) =>
        (type.IsConstructedGenericType ? type.GetGenericArguments().SelectMany(AssembliesOf) : []).Prepend(type.Assembly);

    private static HashSet<Assembly> Needed(IEnumerable<Assembly> start, AssemblyLoadContext context)
    {
        var loaded = context.Assemblies.Where(assembly => !SharedCode.IsShared(assembly)).ToLookup(assembly => assembly.GetName().Name);
        var needed = new HashSet<Assembly>();
        var work = new Stack<Assembly>(start);
        while (work.TryPop(out var assembly))
        {
            if (!needed.Add(assembly) || assembly.IsDynamic)
            {
                continue;
            }

            foreach (var reference in assembly.GetReferencedAssemblies().SelectMany(name => loaded[name.Name]))
            {
                work.Push(reference);
            }
        }

        return needed;
    }

    private bool IsTaught(Assembly assembly) =>
        _taught.GetOrAdd(assembly, static candidate => !candidate.IsDynamic && !SharedCode.IsShared(candidate) && candidate.IsDefined(typeof(TypeManifestProviderAttribute)));
}
