using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>A part of an array or string, which is shared with whatever else refers to it.</summary>
internal sealed class MemoryCodec<T> : FieldCodec<ReadOnlyMemory<T>>
{
    internal override void Write(GraphWriter writer, ref ReadOnlyMemory<T> value) => Write(writer, value, isWritable: false);

    internal static void Write(GraphWriter writer, ReadOnlyMemory<T> value, bool isWritable)
    {
        if (value.IsEmpty)
        {
            writer.WriteReference(null);
            return;
        }

        if (MemoryMarshal.TryGetArray(value, out var segment))
        {
            writer.WriteReference(writer.StandInFor(segment.Array!, isWritable) ?? segment.Array);
            writer.WriteVarUInt((ulong)segment.Offset);
            writer.WriteVarUInt((ulong)segment.Count);
        }
        else if (typeof(T) == typeof(char) && MemoryMarshal.TryGetString((ReadOnlyMemory<char>)(object)value, out var text, out var start, out var length))
        {
            writer.WriteReference(text);
            writer.WriteVarUInt((ulong)start);
            writer.WriteVarUInt((ulong)length);
        }
        else if (MappedMemories.TryArrayOf(value, out var mapped))
        {
            writer.WriteReference(mapped);
            writer.WriteVarUInt(0);
            writer.WriteVarUInt((ulong)value.Length);
        }
        else
        {
            writer.WriteReference(value.ToArray());
            writer.WriteVarUInt(0);
            writer.WriteVarUInt((ulong)value.Length);
        }
    }

    internal override void Read(GraphReader reader, ref ReadOnlyMemory<T> value)
    {
        var whole = reader.ReadReference();
        if (whole is null)
        {
            value = default;
            return;
        }

        var start = reader.ReadVarUInt();
        var length = reader.ReadVarUInt();
        if (start > int.MaxValue || length > int.MaxValue)
        {
            throw PayloadReader.Malformed("a range is out of bounds");
        }

        value = whole switch
        {
            T[] array => new ReadOnlyMemory<T>(array, (int)start, (int)length),
            string text when typeof(T) == typeof(char) => (ReadOnlyMemory<T>)(object)text.AsMemory((int)start, (int)length),
            IMemmapped mapped when mapped.ElementType == typeof(T) => MappedMemories.MemoryOf<T>(mapped, (int)start, (int)length),
            _ => throw PayloadReader.Malformed("a range of something that is no array"),
        };
    }
}
