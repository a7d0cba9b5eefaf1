namespace Orleans.Joblib;

/// <summary>A hash table: rebuilt by adding, because hash codes of strings differ from process to process.</summary>
/// <remarks>Where hash codes are taken from objects with contents, the table is filled after everything that its keys can hold.</remarks>
internal sealed class HashCodec<TTable, TKey, TItem>(
    FieldCodec<TKey> key, FieldCodec<TItem> item, HashOperations<TTable, TItem> table, DerivedPart<TTable> derived, CodecTable codecs)
    : ObjectCodec(typeof(TTable))
    where TTable : class
{
    private readonly int _size = HeaderSize + 80 + derived.Size;
    private readonly int _itemSize = 48 + (2 * item.Size);

    // The comparer is needed to make the table, so it comes first.
    internal override bool IsConstructed => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(_size);
        var comparer = table.Comparer((TTable)value);
        writer.WriteReference(comparer);
        if (key.IsWhole && (comparer is null || codecs.ObjectFor(comparer.GetType()).IsWhole))
        {
            writer.WriteByte(0);
            writer.Enqueue(id);
        }
        else
        {
            writer.WriteByte(1);
            writer.EnqueueLate(id);
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(_size);
        var comparer = reader.ReadReference();
        if (comparer is not null && !table.ComparerType.IsInstanceOfType(comparer))
        {
            throw PayloadReader.Malformed($"a '{comparer.GetType()}' compares nothing");
        }

        if (reader.ReadByte() == 0)
        {
            reader.Enqueue(id);
        }
        else
        {
            reader.EnqueueLate(id);
        }

        return derived.Construct(comparer);
    }

    internal override void WriteBody(GraphWriter writer, object value)
    {
        var items = table.Items((TTable)value);
        writer.WriteVarUInt((ulong)items.Length);
        writer.Charge((long)items.Length * _itemSize);
        foreach (ref var entry in items.AsSpan())
        {
            item.Write(writer, ref entry);
        }

        derived.Write(writer, value);
    }

    internal override void ReadBody(GraphReader reader, object value)
    {
        var late = reader.IsLateBody;
        var count = reader.ReadCount(Math.Max(item.LeastBytes, 1));
        reader.Charge((long)count * _itemSize);
        var items = new TItem[count];
        foreach (ref var entry in items.AsSpan())
        {
            item.Read(reader, ref entry);
        }

        derived.Read(reader, value);
        if (late)
        {
            reader.KeepForFill(value, items);
        }
        else
        {
            Fill(value, items);
        }
    }

    internal override void Fill(object value, object contents)
    {
        var target = (TTable)value;
        foreach (var entry in (TItem[])contents)
        {
            if (!table.Add(target, entry))
            {
                throw PayloadReader.Malformed("a key is there twice, or is null");
            }
        }
    }
}
