using Orleans.Serialization;

namespace Orleans.Joblib;

/// <summary>Objects of a class that Orleans' serializer was taught.</summary>
internal sealed class OrleansCodec<T>(OrleansRegistry registry) : ObjectCodec(typeof(T))
    where T : class
{
    private readonly Serializer<T> _serializer = registry.For<T>();

    internal override bool IsWhole => true;

    internal override byte Variant => OrleansSerializer;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(256);
        OrleansBytes.Write(writer, registry, _serializer, (T)value);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(256);
        return OrleansBytes.Read(reader, registry, _serializer) is { } value && value.GetType() == typeof(T) ? value : throw PayloadReader.Malformed($"a '{typeof(T)}' that is none");
    }

    private protected override void DescribeMore(PayloadWriter writer, CodecTable codecs)
    {
        writer.WriteByte(checked((byte)registry.Assemblies.Count));
        foreach (var assembly in registry.Assemblies)
        {
            codecs.Code.Add(assembly);
            writer.WriteString(assembly.GetName().Name!);
            writer.WriteRaw(assembly.ManifestModule.ModuleVersionId);
        }
    }
}
