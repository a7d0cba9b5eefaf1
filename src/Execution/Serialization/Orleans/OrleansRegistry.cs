using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Configuration;

namespace Orleans.Joblib;

/// <summary>Orleans' serializer for the types of some assemblies. Thread-safe.</summary>
internal sealed class OrleansRegistry
{
    private readonly ServiceProvider _services;
    private readonly HashSet<Type> _known = [];

    internal OrleansRegistry(IReadOnlyList<Assembly> assemblies)
    {
        Assemblies = assemblies;
        var services = new ServiceCollection();
        services.AddSerializer(builder =>
        {
            foreach (var assembly in assemblies)
            {
                builder.AddAssembly(assembly);
            }
        });
        _services = services.BuildServiceProvider();
        var manifest = _services.GetRequiredService<IOptions<TypeManifestOptions>>().Value;
        foreach (var type in manifest.Serializers.Concat(manifest.Converters).Where(type => assemblies.Contains(type.Assembly)))
        {
            foreach (var contract in type.GetInterfaces().Where(contract => contract.IsGenericType))
            {
                if (contract.GetGenericTypeDefinition() is var open && (open == typeof(IFieldCodec<>) || open == typeof(IConverter<,>)))
                {
                    _known.Add(DefinitionOf(contract.GetGenericArguments()[0]));
                }
            }
        }
    }

    internal IReadOnlyList<Assembly> Assemblies { get; }

    internal bool Knows(Type type) => _known.Contains(DefinitionOf(type));

    internal Serializer<T> For<T>() => _services.GetRequiredService<Serializer<T>>();

    private static Type DefinitionOf(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
