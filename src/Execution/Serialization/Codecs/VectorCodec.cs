using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>A one-dimensional array; of numbers, as it lies in memory.</summary>
internal sealed class VectorCodec<T>(FieldCodec<T> element) : ObjectCodec(typeof(T[]))
{
    internal override bool IsWhole => element.IsRaw;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        var array = (T[])value;
        writer.Charge(HeaderSize + ((long)array.Length * Unsafe.SizeOf<T>()));
        writer.WriteVarUInt((ulong)array.Length);
        if (element.IsRaw)
        {
            writer.WriteBytes(MemoryMarshal.CreateReadOnlySpan(
                ref Unsafe.As<T, byte>(ref MemoryMarshal.GetArrayDataReference(array)), checked(array.Length * Unsafe.SizeOf<T>())));
        }
        else if (array.Length > 0)
        {
            writer.Enqueue(id);
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        var length = reader.ReadCount(element.IsRaw ? Unsafe.SizeOf<T>() : element.LeastBytes);
        reader.Charge(HeaderSize + ((long)length * Unsafe.SizeOf<T>()));
        if (!element.IsRaw)
        {
            if (length > 0)
            {
                reader.Enqueue(id);
            }

            return new T[length];
        }

        var bytes = reader.ReadBytes(length * Unsafe.SizeOf<T>());
        RawArrays.Check<T>(bytes);
        var array = GC.AllocateUninitializedArray<T>(length);
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetArrayDataReference(array)), bytes.Length));
        return array;
    }

    internal override void WriteBody(GraphWriter writer, object value)
    {
        foreach (ref var item in ((T[])value).AsSpan())
        {
            element.Write(writer, ref item);
        }
    }

    internal override void ReadBody(GraphReader reader, object value)
    {
        foreach (ref var item in ((T[])value).AsSpan())
        {
            element.Read(reader, ref item);
        }
    }
}
