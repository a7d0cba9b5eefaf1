using System.Collections;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Configuration;
using Orleans.Serialization.Session;
using Orleans.Serialization.TypeSystem;

namespace Orleans.Joblib;

/// <summary>Orleans' serializer for the types of some assemblies. Thread-safe.</summary>
internal sealed class OrleansRegistry
{
    private static readonly FieldInfo[] NameTables =
    [
        .. ((Type[])[.. typeof(Serializer).Assembly.GetTypes(), .. typeof(GenerateSerializerAttribute).Assembly.GetTypes()])
            .Where(type => !type.ContainsGenericParameters)
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Where(IsNameTable),
    ];

    private readonly ServiceProvider _services;
    private readonly Dictionary<Type, Assembly> _teachers = [];
    private SerializerSession? _spare;

    internal OrleansRegistry(IReadOnlyList<Assembly> assemblies)
    {
        Assemblies = assemblies;
        IServiceCollection services = new ServiceCollection();
        foreach (var service in OrleansStandardServices.All)
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

    internal bool Knows(Type type) => _teachers.ContainsKey(DefinitionOf(type));

    /// <summary>The assembly that says how the type is written; null when none does.</summary>
    internal Assembly? TeacherOf(Type type) => _teachers.GetValueOrDefault(DefinitionOf(type));

    internal Serializer<T> For<T>() => _services.GetRequiredService<Serializer<T>>();

    /// <summary>A session for one value, to be given back.</summary>
    /// <remarks>Orleans' own pool is thread-local and holds itself: it would keep a code set loaded on every thread that used it.</remarks>
    internal SerializerSession Rent() => Interlocked.Exchange(ref _spare, null) ?? ActivatorUtilities.CreateInstance<SerializerSession>(_services);

    internal void Return(SerializerSession session)
    {
        session.Reset();
        Volatile.Write(ref _spare, session);
    }

    // Orleans 10.4 keeps the names of the types and assemblies that it has met in static tables. One entry there would keep a code set loaded for good.
    private static void ForgetTypes(AssemblyLoadContext context)
    {
        foreach (var table in NameTables)
        {
            if (table.GetValue(null) is IDictionary names)
            {
                foreach (var key in names.Keys.Cast<object>().Where(key => key is Type { IsCollectible: true } or Assembly { IsCollectible: true }).ToArray())
                {
                    names.Remove(key);
                }
            }
        }
    }

    private static bool IsNameTable(FieldInfo field) =>
        field.FieldType is { IsConstructedGenericType: true } type && typeof(IDictionary).IsAssignableFrom(type)
        && (type.GetGenericArguments()[0] == typeof(Type) || type.GetGenericArguments()[0] == typeof(Assembly));

    private static Type DefinitionOf(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
