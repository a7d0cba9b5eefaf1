namespace Orleans.Joblib;

/// <summary>A value that the user wrapped with its serializer.</summary>
internal sealed class PortableCodec<T>(CodecTable codecs) : ObjectCodec(typeof(Portable<T>))
{
    internal override bool IsWhole => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(96);
        var portable = (Portable<T>)value;
        var type = new PayloadWriter();
        TypeNames.Write(type, portable.Serializer.GetType(), codecs.Code);
        writer.WriteBlob(type.Written);
        SerializedBytes.Write(writer, portable.Serializer, portable.Value);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(96);
        var serializer = (ICallSerializer<T>)reader.Context.SerializerOf(reader.ReadBlob(), typeof(T));
        return new Portable<T>(SerializedBytes.Read(reader, serializer), serializer);
    }
}
