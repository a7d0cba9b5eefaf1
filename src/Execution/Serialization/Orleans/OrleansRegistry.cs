using System.Collections;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Configuration;
using Orleans.Serialization.TypeSystem;

namespace Orleans.Joblib;

/// <summary>Orleans' serializer for the types of some assemblies. Thread-safe.</summary>
internal sealed class OrleansRegistry
{
    // Orleans looks for its parts in every assembly that is loaded, and throws for a part that is not there, as in code that came without the parts it does not use.
    // It adds what it finds; two loads of one assembly, or two of its versions, do not fit into one registry, and must not be held from here.
    private static readonly Lazy<ServiceDescriptor[]> Standard = new(() =>
    [
        // The one instance among them is its builder, which is done, and refers to all that it found.
        .. new ServiceCollection().AddSerializer().Where(service => service.ImplementationInstance is null).Where(service => service.ServiceType != typeof(IConfigureOptions<TypeManifestOptions>)
            || service.ImplementationType is not { } provider || SharedCode.IsShared(provider.Assembly)),
    ]);

    private readonly ServiceProvider _services;
    private readonly Dictionary<Type, Assembly> _teachers = [];

    internal OrleansRegistry(IReadOnlyList<Assembly> assemblies)
    {
        Assemblies = assemblies;
        IServiceCollection services = new ServiceCollection();
        foreach (var service in Standard.Value)
        {
            services.Add(service);
        }

        foreach (var assembly in assemblies)
        {
            foreach (var attribute in assembly.GetCustomAttributes<TypeManifestProviderAttribute>())
            {
                services.AddSingleton(typeof(IConfigureOptions<TypeManifestOptions>), attribute.ProviderType);
            }
        }

        _services = services.BuildServiceProvider();
        foreach (var context in assemblies.Where(assembly => assembly.IsCollectible).Select(AssemblyLoadContext.GetLoadContext).Distinct())
        {
            context!.Unloading += ForgetTypes;
        }

        var options = _services.GetRequiredService<IOptions<TypeManifestOptions>>().Value;
        foreach (var type in options.Serializers.Concat(options.Converters).Where(type => assemblies.Contains(type.Assembly)))
        {
            foreach (var contract in type.GetInterfaces().Where(contract => contract.IsGenericType))
            {
                if (contract.GetGenericTypeDefinition() is var open && (open == typeof(IFieldCodec<>) || open == typeof(IConverter<,>)))
                {
                    _teachers.TryAdd(DefinitionOf(contract.GetGenericArguments()[0]), type.Assembly);
                }
            }
        }
    }

    internal IReadOnlyList<Assembly> Assemblies { get; }

    /// <summary>To be called before code of others is loaded.</summary>
    internal static void Prepare() => _ = Standard.Value;

    internal bool Knows(Type type) => _teachers.ContainsKey(DefinitionOf(type));

    /// <summary>The assembly that says how the type is written; null when none does.</summary>
    internal Assembly? TeacherOf(Type type) => _teachers.GetValueOrDefault(DefinitionOf(type));

    internal Serializer<T> For<T>() => _services.GetRequiredService<Serializer<T>>();

    // Orleans 10.4 keeps the names of all types that it has met in one static table, and nothing else: one entry there would keep a code set loaded for good.
    private static void ForgetTypes(AssemblyLoadContext context)
    {
        if (typeof(RuntimeTypeNameFormatter).GetField("Cache", BindingFlags.Static | BindingFlags.NonPublic)?.GetValue(null) is IDictionary names)
        {
            foreach (var type in names.Keys.OfType<Type>().Where(type => type.IsCollectible))
            {
                names.Remove(type);
            }
        }
    }

    private static Type DefinitionOf(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
