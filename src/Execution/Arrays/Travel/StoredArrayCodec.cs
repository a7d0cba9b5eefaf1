namespace Orleans.Joblib;

/// <summary>A large array of .NET that is not in the payload: where it is.</summary>
internal sealed class StoredArrayCodec(Type type) : ObjectCodec(type)
{
    internal override bool IsWhole => true;

    internal override byte Variant => StoredArray;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(512);
        writer.Arrays!.Put(ArrayView.TryOf(value)!.Value, isWritable: true)!.Write(writer);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        var reference = ArrayReference.Read(reader);
        return reader.Arrays is { } source ? source.Load(reference, Type) : throw PayloadReader.Malformed("it refers to an array that is elsewhere");
    }
}
