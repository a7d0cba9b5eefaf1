using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>A list, or the user's class derived from it: its elements, then the fields of the derived class.</summary>
internal sealed class ListCodec<TList, T>(FieldCodec<T> element, DerivedPart<TList> derived) : ObjectCodec(typeof(TList))
    where TList : List<T>
{
    private readonly int _size = HeaderSize + 48 + derived.Size;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(_size + ((long)((TList)value).Count * Unsafe.SizeOf<T>()));
        writer.Enqueue(id);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(_size);
        reader.Enqueue(id);
        return derived.Construct(null);
    }

    internal override void WriteBody(GraphWriter writer, object value)
    {
        var items = CollectionsMarshal.AsSpan((TList)value);
        writer.WriteVarUInt((ulong)items.Length);
        if (element.IsRaw)
        {
            writer.WriteBytes(Bytes(items));
        }
        else
        {
            foreach (ref var item in items)
            {
                element.Write(writer, ref item);
            }
        }

        derived.Write(writer, value);
    }

    internal override void ReadBody(GraphReader reader, object value)
    {
        var list = (TList)value;
        var count = reader.ReadCount(element.IsRaw ? Unsafe.SizeOf<T>() : element.LeastBytes);
        reader.Charge((long)count * Unsafe.SizeOf<T>());
        CollectionsMarshal.SetCount(list, count);
        var items = CollectionsMarshal.AsSpan(list);
        if (element.IsRaw)
        {
            var bytes = reader.ReadBytes(count * Unsafe.SizeOf<T>());
            RawArrays.Check<T>(bytes);
            bytes.CopyTo(Bytes(items));
        }
        else
        {
            foreach (ref var item in items)
            {
                element.Read(reader, ref item);
            }
        }

        derived.Read(reader, value);
    }

    private static Span<byte> Bytes(Span<T> items) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(items)), items.Length * Unsafe.SizeOf<T>());
}
