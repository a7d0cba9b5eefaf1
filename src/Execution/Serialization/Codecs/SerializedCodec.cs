using System.Buffers;

namespace Orleans.Joblib;

/// <summary>A type for which the user registered a serializer.</summary>
internal sealed class SerializedCodec<T>(ICallSerializer<T> serializer) : ObjectCodec(typeof(T))
{
    internal override bool IsWhole => true;

    internal override byte Variant => Serializer;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(64);
        SerializedBytes.Write(writer, serializer, (T)value);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(64);
        return SerializedBytes.Read(reader, serializer) ?? throw PayloadReader.Malformed($"'{serializer.GetType()}' read null");
    }

    private protected override void DescribeMore(PayloadWriter writer, CodecTable codecs) => TypeNames.Write(writer, serializer.GetType(), codecs.Code);
}
