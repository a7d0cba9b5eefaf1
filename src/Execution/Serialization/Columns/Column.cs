using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>The values of one variable over all calls of a batch, or all results: once if they are all the same, as differences if those are small, else one by one.</summary>
internal static class Column
{
    private const byte Same = 0;
    private const byte Differences = 1;
    private const byte AsInMemory = 2;
    private const byte Each = 3;

    internal static void Write<T>(GraphWriter writer, Span<T> values, FieldCodec<T> codec)
    {
        if (values.Length == 0)
        {
            return;
        }

        if (codec.IsRaw)
        {
            WriteRaw(writer, values, codec);
            return;
        }

        if (values.Length > 1 && !typeof(T).IsValueType && AllSame(values))
        {
            writer.WriteByte(Same);
            codec.Write(writer, ref values[0]);
            return;
        }

        writer.WriteByte(Each);
        foreach (ref var value in values)
        {
            codec.Write(writer, ref value);
        }
    }

    internal static void Read<T>(GraphReader reader, Span<T> values, FieldCodec<T> codec)
    {
        if (values.Length == 0)
        {
            return;
        }

        var way = reader.ReadByte();
        switch (way)
        {
            case Same:
                T one = default!;
                codec.Read(reader, ref one);
                values.Fill(one);
                break;

            case Each:
                foreach (ref var value in values)
                {
                    codec.Read(reader, ref value);
                }

                break;

            case AsInMemory when codec.IsRaw:
                var bytes = Bytes(values);
                var written = reader.ReadBytes(bytes.Length);
                RawArrays.Check<T>(written);
                written.CopyTo(bytes);
                break;

            case Differences when codec.IsRaw && Unsafe.SizeOf<T>() == 4:
                ReadDifferences(reader, Cast<T, int>(values));
                break;

            case Differences when codec.IsRaw && Unsafe.SizeOf<T>() == 8:
                ReadDifferences(reader, Cast<T, long>(values));
                break;

            default:
                throw PayloadReader.Malformed("a column is written in an unknown way");
        }
    }

    private static void WriteRaw<T>(GraphWriter writer, Span<T> values, FieldCodec<T> codec)
    {
        var bytes = Bytes(values);
        if (values.Length > 1 && bytes[Unsafe.SizeOf<T>()..].SequenceEqual(bytes[..^Unsafe.SizeOf<T>()]))
        {
            writer.WriteByte(Same);
            codec.Write(writer, ref values[0]);
            return;
        }

        if (Unsafe.SizeOf<T>() is 4 or 8 && codec.IsWholeNumber)
        {
            var before = writer.Length;
            writer.WriteByte(Differences);
            if (Unsafe.SizeOf<T>() == 4 ? TryWriteDifferences(writer, Cast<T, int>(values)) : TryWriteDifferences(writer, Cast<T, long>(values)))
            {
                return;
            }

            writer.CutTo(before);
        }

        writer.WriteByte(AsInMemory);
        writer.WriteBytes(bytes);
    }

    private static bool TryWriteDifferences(GraphWriter writer, Span<int> values)
    {
        var room = writer.Reserve(checked((5 * values.Length) + 8));
        ref var start = ref MemoryMarshal.GetReference(room);
        nint at = 0;
        var last = 0;
        foreach (var value in values)
        {
            var difference = unchecked(value - last);
            last = value;
            var rest = (uint)((difference << 1) ^ (difference >> 31));
            while (rest >= 0x80)
            {
                Unsafe.Add(ref start, at++) = (byte)(rest | 0x80);
                rest >>= 7;
            }

            Unsafe.Add(ref start, at++) = (byte)rest;
        }

        if (at >= 4 * (nint)values.Length)
        {
            return false;
        }

        writer.Advance((int)at);
        return true;
    }

    private static bool TryWriteDifferences(GraphWriter writer, Span<long> values)
    {
        var room = writer.Reserve(checked((10 * values.Length) + 16));
        ref var start = ref MemoryMarshal.GetReference(room);
        nint at = 0;
        long last = 0;
        foreach (var value in values)
        {
            var difference = unchecked(value - last);
            last = value;
            var rest = (ulong)((difference << 1) ^ (difference >> 63));
            while (rest >= 0x80)
            {
                Unsafe.Add(ref start, at++) = (byte)(rest | 0x80);
                rest >>= 7;
            }

            Unsafe.Add(ref start, at++) = (byte)rest;
        }

        if (at >= 8 * (nint)values.Length)
        {
            return false;
        }

        writer.Advance((int)at);
        return true;
    }

    private static void ReadDifferences(GraphReader reader, Span<int> values)
    {
        var bytes = reader.Peek();
        var at = 0;
        var last = 0;
        foreach (ref var value in values)
        {
            uint read = 0;
            byte next;
            var shift = 0;
            do
            {
                if ((uint)at >= (uint)bytes.Length || shift > 28)
                {
                    throw PayloadReader.Malformed("a column of numbers ends too early");
                }

                next = bytes[at++];
                read |= (uint)(next & 0x7F) << shift;
                shift += 7;
            }
            while (next >= 0x80);

            last = unchecked(last + ((int)(read >> 1) ^ -(int)(read & 1)));
            value = last;
        }

        reader.Skip(at);
    }

    private static void ReadDifferences(GraphReader reader, Span<long> values)
    {
        var bytes = reader.Peek();
        var at = 0;
        long last = 0;
        foreach (ref var value in values)
        {
            ulong read = 0;
            byte next;
            var shift = 0;
            do
            {
                if ((uint)at >= (uint)bytes.Length || shift > 63)
                {
                    throw PayloadReader.Malformed("a column of numbers ends too early");
                }

                next = bytes[at++];
                read |= (ulong)(next & 0x7F) << shift;
                shift += 7;
            }
            while (next >= 0x80);

            last = unchecked(last + ((long)(read >> 1) ^ -(long)(read & 1)));
            value = last;
        }

        reader.Skip(at);
    }

    private static bool AllSame<T>(Span<T> values)
    {
        object? first = values[0];
        foreach (ref var value in values[1..])
        {
            if (!ReferenceEquals(value, first))
            {
                return false;
            }
        }

        return true;
    }

    private static Span<byte> Bytes<T>(Span<T> values) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(values)), checked(values.Length * Unsafe.SizeOf<T>()));

    private static Span<TTo> Cast<TFrom, TTo>(Span<TFrom> values) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<TFrom, TTo>(ref MemoryMarshal.GetReference(values)), values.Length);
}
