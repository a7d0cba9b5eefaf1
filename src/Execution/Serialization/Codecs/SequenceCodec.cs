namespace Orleans.Joblib;

/// <summary>A collection that is rebuilt by adding its elements in order.</summary>
internal sealed class SequenceCodec<TSequence, T>(FieldCodec<T> element, Func<TSequence, T[]> items, Action<TSequence, T> add, Func<TSequence> create)
    : ObjectCodec(typeof(TSequence))
    where TSequence : class
{
    private const int Size = 512;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(Size);
        writer.Enqueue(id);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(Size);
        reader.Enqueue(id);
        return create();
    }

    internal override void WriteBody(GraphWriter writer, object value)
    {
        var all = items((TSequence)value);
        writer.WriteVarUInt((ulong)all.Length);
        writer.Charge(all.Length * (long)(48 + (2 * element.Size)));
        foreach (ref var item in all.AsSpan())
        {
            element.Write(writer, ref item);
        }
    }

    internal override void ReadBody(GraphReader reader, object value)
    {
        var target = (TSequence)value;
        var count = reader.ReadCount(element.LeastBytes);
        reader.Charge(count * (long)(48 + (2 * element.Size)));
        for (; count > 0; count--)
        {
            T item = default!;
            element.Read(reader, ref item);
            add(target, item);
        }
    }
}
