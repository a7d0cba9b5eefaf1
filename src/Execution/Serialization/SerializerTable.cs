using System.Collections.Concurrent;

namespace Orleans.Joblib;

/// <summary>Which serializer serves which type: this process's registrations, or those that came with a code set's payloads. Thread-safe.</summary>
internal sealed class SerializerTable
{
    private readonly ConcurrentDictionary<Type, object> _serializers = new();
    private int _version;

    internal static SerializerTable OfProcess { get; } = new();

    internal bool IsEmpty => _serializers.IsEmpty;

    internal IEnumerable<KeyValuePair<Type, object>> All => _serializers.OrderBy(pair => pair.Key.FullName, StringComparer.Ordinal);

    internal static void Check(object serializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        var type = serializer.GetType();
        if (type.GetConstructor(Type.EmptyTypes) is null || type.IsGenericType)
        {
            throw new ArgumentException(
                $"The serializer '{type}' cannot be made on the far side. Give it a public parameterless constructor and no type parameters.", nameof(serializer));
        }
    }

    /// <summary>The table as it is now.</summary>
    internal SerializerTable Copy()
    {
        var copy = new SerializerTable();
        foreach (var (type, serializer) in _serializers)
        {
            copy.Add(type, serializer);
        }

        return copy;
    }

    /// <summary>Grows with every registration.</summary>
    internal int Version => Volatile.Read(ref _version);

    internal void Add(Type type, object serializer)
    {
        _serializers[type] = serializer;
        Interlocked.Increment(ref _version);
    }

    /// <summary>The serializer of a type, or of the nearest base class or an interface of it, with the type that it was registered for.</summary>
    internal (Type Type, object Serializer)? For(Type type)
    {
        if (_serializers.IsEmpty)
        {
            return null;
        }

        for (var part = type; part is not null; part = part.BaseType)
        {
            if (_serializers.TryGetValue(part, out var serializer))
            {
                return (part, serializer);
            }
        }

        foreach (var (registered, serializer) in All)
        {
            if (registered.IsInterface && registered.IsAssignableFrom(type))
            {
                return (registered, serializer);
            }
        }

        return null;
    }
}
