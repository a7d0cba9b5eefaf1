namespace Orleans.Joblib;

/// <summary>A reference to a closure from one around it, or from an iterator or state machine, which says what it reads of it.</summary>
internal sealed class ClosureReferenceCodec<T>(bool isNested, ClosureUse? use) : FieldCodec<T>
    where T : class
{
    internal override void Write(GraphWriter writer, ref T value)
    {
        if (isNested)
        {
            writer.WriteNestedClosure(value);
        }
        else
        {
            writer.WriteClosure(value, use);
        }
    }

    internal override void Read(GraphReader reader, ref T value) => value = ReferenceCodec<T>.Cast(reader.ReadReference());
}
