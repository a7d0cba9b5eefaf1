namespace Orleans.Joblib;

/// <summary>An immutable hash table: built at once, from keys that are made whole before.</summary>
internal sealed class BuiltCodec<TTable, TKey, TItem>(
    Type type,
    FieldCodec<TKey> key,
    FieldCodec<TItem> item,
    int comparerCount,
    Func<TTable, object?[]> comparers,
    Func<TTable, TItem[]> items,
    Func<object?[], TItem[], TTable> build,
    CodecTable codecs,
    bool looksIntoItems = false)
    : ObjectCodec(type)
    where TTable : class
{
    private const int Size = 512;
    private readonly int _itemSize = 128 + (4 * item.Size);

    internal override bool IsConstructed => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        var table = (TTable)value;
        var used = comparers(table);
        var whole = key.IsWhole && !looksIntoItems;
        foreach (var comparer in used)
        {
            writer.WriteReference(comparer);
            whole &= comparer is null || codecs.ObjectFor(comparer.GetType()).IsWhole;
        }

        var all = items(table);
        writer.Charge(Size + ((long)all.Length * _itemSize));
        writer.WriteVarUInt((ulong)all.Length);
        foreach (ref var entry in all.AsSpan())
        {
            item.Write(writer, ref entry);
        }

        writer.WriteByte(whole ? (byte)0 : (byte)1);
        if (!whole)
        {
            writer.DrainNested();
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        var used = new object?[comparerCount];
        for (var i = 0; i < used.Length; i++)
        {
            used[i] = reader.ReadReference();
        }

        var count = reader.ReadCount(Math.Max(item.LeastBytes, 1));
        reader.Charge(Size + ((long)count * _itemSize));
        var all = new TItem[count];
        foreach (ref var entry in all.AsSpan())
        {
            item.Read(reader, ref entry);
        }

        if (reader.ReadByte() != 0)
        {
            reader.DrainNested();
        }

        return build(used, all);
    }
}
