using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>A memory-mapped array: where it is, or its elements when it is in memory alone.</summary>
internal sealed class MemmappedCodec<T>() : ObjectCodec(typeof(MemmappedArray<T>))
    where T : unmanaged
{
    private const byte Reference = 0;
    private const byte Elements = 1;

    internal override bool IsWhole => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(512);
        var reference = value switch
        {
            MemoryStandIn<T> standIn => writer.Arrays!.Put(ArrayView.TryOf(standIn.Array)!.Value, standIn.IsWritable),
            MemmappedArray<T> array => ReferenceTo(writer, array),
            _ => throw new InvalidOperationException(),
        };
        if (reference is not null)
        {
            writer.WriteByte(Reference);
            reference.Write(writer);
            return;
        }

        var memory = (MemmappedArray<T>)value;
        if (memory.ByteLength > Array.MaxLength)
        {
            throw new RefusedException(typeof(MemmappedArray<T>), $"has {memory.ByteLength} bytes in memory", null) { Remedy = "Put it into a file (Joblib.Dump) and map that" };
        }

        writer.WriteByte(Elements);
        writer.WriteByte((byte)memory.Order);
        writer.WriteVarUInt((ulong)memory.Rank);
        foreach (var length in memory.Lengths)
        {
            writer.WriteVarUInt((ulong)length);
        }

        var plain = memory.Order == ArrayOrder.Fortran ? memory.Transpose() : memory;
        var bytes = (int)memory.ByteLength;
        plain.CopyTo(MemoryMarshal.Cast<byte, T>(writer.Reserve(bytes)[..bytes]));
        writer.Advance(bytes);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        switch (reader.ReadByte())
        {
            case Reference:
                var reference = ArrayReference.Read(reader);
                return (reader.Arrays ?? ArrayFiles.Instance).Map<T>(reference);

            case Elements:
                var order = reader.ReadByte() == 0 ? ArrayOrder.C : ArrayOrder.Fortran;
                var lengths = new nint[reader.ReadCount()];
                for (var i = 0; i < lengths.Length; i++)
                {
                    lengths[i] = (nint)reader.ReadVarUInt();
                }

                var count = ArrayLayout.CountOf(lengths, Unsafe.SizeOf<T>());
                if (count < 0 || count * Unsafe.SizeOf<T>() > reader.Left)
                {
                    throw PayloadReader.Malformed("an array's shape");
                }

                var bytes = reader.ReadBytes((int)count * Unsafe.SizeOf<T>());
                reader.Charge(512 + bytes.Length);
                RawArrays.Check<T>(bytes);
                return MemmappedArray<T>.InMemory(bytes, ArrayLayout.Of(lengths, order, Unsafe.SizeOf<T>()));

            default:
                throw PayloadReader.Malformed("a memory-mapped array");
        }
    }

    private static ArrayReference? ReferenceTo(GraphWriter writer, MemmappedArray<T> array)
    {
        if (array.Path is null)
        {
            return writer.Arrays is { } sink && sink.Takes(array.ByteLength) ? sink.Put(ArrayView.TryOf(array)!.Value, isWritable: true) : null;
        }

        // A sink whose readers do not see this host's files puts it elsewhere.
        return writer.Arrays?.Put(ArrayView.TryOf(array)!.Value, array.Mode == MmapMode.CopyOnWrite) ?? ArrayFiles.ReferenceTo(array);
    }
}
