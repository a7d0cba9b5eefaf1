using Orleans.Serialization;

namespace Orleans.Joblib;

/// <summary>Values of a struct that Orleans' serializer was taught.</summary>
internal sealed class OrleansFieldCodec<T>(OrleansRegistry registry) : FieldCodec<T>
    where T : struct
{
    private readonly Serializer<T> _serializer = registry.For<T>();

    internal override bool IsWhole => true;

    internal override void Write(GraphWriter writer, ref T value) => OrleansBytes.Write(writer, registry, _serializer, value);

    internal override void Read(GraphReader reader, ref T value) => value = OrleansBytes.Read(reader, registry, _serializer);
}
