using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A boxed value. One that refers to others gets its contents later, in place.</summary>
internal sealed class BoxCodec<T>(FieldCodec<T> value) : ObjectCodec(typeof(T))
    where T : struct
{
    private static readonly bool IsLeaf = !RuntimeHelpers.IsReferenceOrContainsReferences<T>();

    internal override bool IsWhole => IsLeaf;

    internal override void WriteNew(GraphWriter writer, object value1, int id)
    {
        writer.Charge(HeaderSize + Unsafe.SizeOf<T>());
        if (IsLeaf)
        {
            value.Write(writer, ref Unsafe.Unbox<T>(value1));
        }
        else
        {
            writer.Enqueue(id);
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(HeaderSize + Unsafe.SizeOf<T>());
        var read = default(T);
        if (IsLeaf)
        {
            value.Read(reader, ref read);
        }
        else
        {
            reader.Enqueue(id);
        }

        return read;
    }

    internal override void WriteBody(GraphWriter writer, object value1) => value.Write(writer, ref Unsafe.Unbox<T>(value1));

    internal override void ReadBody(GraphReader reader, object value1) => value.Read(reader, ref Unsafe.Unbox<T>(value1));
}
