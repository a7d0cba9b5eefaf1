namespace Orleans.Joblib;

/// <summary>A struct for which the user registered a serializer.</summary>
internal sealed class SerializedFieldCodec<T>(ICallSerializer<T> serializer) : FieldCodec<T>
{
    internal override bool IsWhole => true;

    internal override void Write(GraphWriter writer, ref T value) => SerializedBytes.Write(writer, serializer, value);

    internal override void Read(GraphReader reader, ref T value) => value = SerializedBytes.Read(reader, serializer);
}
