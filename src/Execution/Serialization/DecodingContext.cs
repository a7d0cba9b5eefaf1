using System.Collections.Concurrent;
using System.Reflection;

namespace Orleans.Joblib;

/// <summary>What all payloads of one code set, and one list of the user's serializers, share while they are read: types, methods and codecs that were found. Thread-safe.</summary>
internal sealed class DecodingContext(ICodeResolver code, CodecTable codecs, PayloadEncoder resultEncoder, DecodeLimits limits)
{
    private readonly BlobTable<CallShape> _shapes = new();
    private readonly BlobTable<ObjectCodec> _codecs = new();
    private readonly BlobTable<DelegatePlan> _plans = new();
    private readonly BlobTable<Type> _types = new();
    private readonly ConcurrentDictionary<Type, object> _serializers = new();

    internal CodecTable Codecs => codecs;

    internal DecodeLimits Limits => limits;

    internal TypeFinder Types { get; } = new(code);

    /// <summary>Writes the results of the calls with the same serializers.</summary>
    internal PayloadEncoder ResultEncoder => resultEncoder;

    internal CallShape ShapeOf(ReadOnlySpan<byte> description) =>
        _shapes.TryGet(description, out var known) ? known : _shapes.Add(description, CallShape.Read(Reader(description), this));

    internal ObjectCodec CodecOf(ReadOnlySpan<byte> description)
    {
        if (_codecs.TryGet(description, out var known))
        {
            return known;
        }

        var reader = Reader(description);
        var type = Types.Read(reader);
        var variant = reader.ReadByte();
        var fingerprint = reader.ReadVarUInt();
        ObjectCodec codec;
        switch (variant)
        {
            case ObjectCodec.Ordinary:
                codec = codecs.ObjectFor(type);
                if (codec.Type != type || codec.Variant != ObjectCodec.Ordinary)
                {
                    throw PayloadReader.Malformed($"'{type}' is written otherwise");
                }

                if (codec.Fingerprint != fingerprint)
                {
                    throw new JoblibException(
                        "missing-code", $"The framework's '{type}' is another one here. Run the same version of .NET on clients and silos (this is {Environment.Version}).");
                }

                break;

            case ObjectCodec.ExceptionRoot:
                codec = codecs.ExceptionRoot;
                break;

            case ObjectCodec.Serializer:
                codec = codecs.SerializedFor(type, Serializer(Types.Read(reader), type));
                break;

            case ObjectCodec.OrleansSerializer:
                var assemblies = new Assembly[reader.ReadByte()];
                for (var i = 0; i < assemblies.Length; i++)
                {
                    assemblies[i] = code.Resolve(reader.ReadString(), reader.ReadRaw<Guid>());
                }

                var registry = codecs.Orleans.For(assemblies);
                codec = !type.IsValueType && registry.Knows(type)
                    ? (ObjectCodec)Activator.CreateInstance(
                        typeof(OrleansCodec<>).MakeGenericType(type), BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, null, [registry], null)!
                    : throw PayloadReader.Malformed($"'{type}' is not one of Orleans'");
                break;

            case ObjectCodec.StoredArray:
                codec = codecs.StoredFor(type) ?? throw PayloadReader.Malformed($"'{type}' is never elsewhere");
                break;

            default:
                throw PayloadReader.Malformed("a type is written in an unknown way");
        }

        return _codecs.Add(description, codec);
    }

    internal DelegatePlan PlanOf(ReadOnlySpan<byte> description) =>
        _plans.TryGet(description, out var known) ? known : _plans.Add(description, DelegatePlan.Read(Reader(description), Types));

    internal Type TypeOf(ReadOnlySpan<byte> description) =>
        _types.TryGet(description, out var known) ? known : _types.Add(description, Types.Read(Reader(description)));

    internal object SerializerOf(ReadOnlySpan<byte> description, Type valueType) => Serializer(TypeOf(description), valueType);

    private object Serializer(Type serializer, Type valueType)
    {
        if (valueType.IsByRefLike || valueType.IsPointer || valueType == typeof(void) || valueType.ContainsGenericParameters
            || !typeof(ICallSerializer<>).MakeGenericType(valueType).IsAssignableFrom(serializer)
            || serializer.IsAbstract || serializer.GetConstructor(Type.EmptyTypes) is null)
        {
            throw PayloadReader.Malformed($"'{serializer}' does not serialize '{valueType}'");
        }

        return _serializers.GetOrAdd(serializer, static type => Activator.CreateInstance(type)!);
    }

    private static PayloadReader Reader(ReadOnlySpan<byte> description) => new(description.ToArray(), 1 << 20);
}
