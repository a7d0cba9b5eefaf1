namespace Orleans.Joblib;

internal sealed class StringCodec() : ObjectCodec(typeof(string))
{
    internal override bool IsWhole => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        var text = (string)value;
        writer.Charge(HeaderSize + (4L * text.Length));
        writer.WriteString(text);
    }

    internal override object ReadNew(GraphReader reader, int id) => reader.ReadString();
}
