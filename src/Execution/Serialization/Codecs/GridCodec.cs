using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>An array of several dimensions, or one that does not start at 0.</summary>
internal sealed class GridCodec<T>(Type type, FieldCodec<T> element) : ObjectCodec(type)
{
    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        var array = (Array)value;
        writer.Charge(HeaderSize + (16L * array.Rank) + (array.LongLength * Unsafe.SizeOf<T>()));
        for (var dimension = 0; dimension < array.Rank; dimension++)
        {
            writer.WriteVarUInt((ulong)array.GetLength(dimension));
            writer.WriteVarInt(array.GetLowerBound(dimension));
        }

        if (element.IsRaw)
        {
            writer.WriteBytes(MemoryMarshal.CreateReadOnlySpan(ref MemoryMarshal.GetArrayDataReference(array), checked(array.Length * Unsafe.SizeOf<T>())));
        }
        else if (array.Length > 0)
        {
            writer.Enqueue(id);
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        var rank = Type.GetArrayRank();
        var lengths = new int[rank];
        var bounds = new int[rank];
        long count = 1;
        for (var dimension = 0; dimension < rank; dimension++)
        {
            var length = reader.ReadVarUInt();
            var bound = reader.ReadVarInt();
            if (length > int.MaxValue || bound is < int.MinValue or > int.MaxValue || bound + (long)length > int.MaxValue)
            {
                throw PayloadReader.Malformed("an array's bounds");
            }

            lengths[dimension] = (int)length;
            bounds[dimension] = (int)bound;
            count *= (long)length;
            if (count > int.MaxValue || count * Math.Max(element.IsRaw ? Unsafe.SizeOf<T>() : element.LeastBytes, 0) > reader.Left)
            {
                throw PayloadReader.Malformed("an array is larger than the bytes that are left");
            }
        }

        reader.Charge(HeaderSize + (16L * rank) + (count * Unsafe.SizeOf<T>()));
        var array = Array.CreateInstance(typeof(T), lengths, bounds);
        if (array.GetType() != Type)
        {
            // A vector by another name: rank 1 from 0.
            throw PayloadReader.Malformed("an array's bounds");
        }

        if (element.IsRaw)
        {
            var bytes = reader.ReadBytes((int)count * Unsafe.SizeOf<T>());
            RawArrays.Check<T>(bytes);
            bytes.CopyTo(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(array), bytes.Length));
        }
        else if (count > 0)
        {
            reader.Enqueue(id);
        }

        return array;
    }

    internal override void WriteBody(GraphWriter writer, object value)
    {
        foreach (ref var item in Items(value))
        {
            element.Write(writer, ref item);
        }
    }

    internal override void ReadBody(GraphReader reader, object value)
    {
        foreach (ref var item in Items(value))
        {
            element.Read(reader, ref item);
        }
    }

    private static Span<T> Items(object value)
    {
        var array = (Array)value;
        return MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array)), array.Length);
    }
}
