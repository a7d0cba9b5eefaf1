namespace Orleans.Joblib;

/// <summary>A reference to an object whose own type decides how it is written.</summary>
internal sealed class ReferenceCodec<T> : FieldCodec<T>
    where T : class
{
    internal override bool IsWhole => typeof(T) == typeof(string);

    internal override void Write(GraphWriter writer, ref T value) => writer.WriteReference(value);

    internal override void Read(GraphReader reader, ref T value) => value = Cast(reader.ReadReference());

    internal static T Cast(object? value) =>
        value is null ? null! : value as T ?? throw PayloadReader.Malformed($"a '{value.GetType()}' where a '{typeof(T)}' belongs");
}
