namespace Orleans.Joblib;

/// <summary>A class of the framework through its public parts: whole once it is read.</summary>
internal sealed class ConvertedObjectCodec<T>(Type type, Action<GraphWriter, T> write, Func<GraphReader, T> read, int size = 64, bool isConstructed = false)
    : ObjectCodec(type)
    where T : class
{
    internal override bool IsConstructed => isConstructed;

    internal override bool IsWhole => !isConstructed;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(size);
        write(writer, (T)value);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(size);
        return read(reader);
    }
}
