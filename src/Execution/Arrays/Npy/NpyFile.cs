using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>Writes and reads arrays as <c>.npy</c>, in pieces: an array is never in memory twice.</summary>
internal static unsafe class NpyFile
{
    private const int PieceBytes = 1 << 20;

    /// <summary>Writes head and elements; in the order in which they lie, where they lie without gaps.</summary>
    internal static void Write(Stream stream, ArrayView array)
    {
        var order = array.Layout.Order;
        stream.Write(NpyHeader.Write(array.Type, order, array.Layout.Lengths));

        // A Fortran array is its transpose in C order.
        var layout = order == ArrayOrder.Fortran ? array.Layout.Transpose([]) : array.Layout;
        (array with { Layout = layout }).Read(stream, static (elements, stream) =>
        {
            WriteElements(elements, stream);
            return 0;
        });
    }

    /// <summary>Reads the elements behind a head into a new array.</summary>
    /// <param name="stream">Stands at the first element.</param>
    /// <param name="header">The head.</param>
    /// <param name="type">The array's type; null for the one that the head suggests.</param>
    /// <param name="mostBytes">What the stream can hold at most: a head that claims more is a lie.</param>
    internal static Array Read(Stream stream, NpyHeader header, Type? type, long mostBytes)
    {
        var element = CheckElement(header, type?.GetElementType());
        if (type is not null && (type.IsSZArray ? 1 : type.GetArrayRank()) != header.Lengths.Length)
        {
            throw Mismatch(header, type);
        }

        CheckLength(header, mostBytes);
        var lengths = new int[header.Lengths.Length];
        long count = 1;
        for (var i = 0; i < lengths.Length; i++)
        {
            count *= header.Lengths[i];
            lengths[i] = header.Lengths[i] <= Array.MaxLength && count <= Array.MaxLength
                ? (int)header.Lengths[i]
                : throw new JoblibException(
                    "array-too-large", $"The shape {ArrayLayout.Text(header.Lengths)} is more than an array of .NET holds. Map it: Joblib.Load<MemmappedArray<{element.Name}>>(path, MmapMode.ReadOnly).");
        }

        if (lengths.Length is 0 or > 32)
        {
            throw Mismatch(header, type ?? typeof(Array));
        }

        var array = lengths.Length == 1 ? NpyElement.NewVector(element, lengths[0]) : Array.CreateInstance(element, lengths);
        fixed (byte* origin = &MemoryMarshal.GetArrayDataReference(array))
        {
            ReadElements(stream, header, origin, element);
        }

        return array;
    }

    /// <summary>Reads the elements behind a head into memory of the array's size, the last index fastest.</summary>
    internal static void ReadElements(Stream stream, NpyHeader header, byte* origin, Type element)
    {
        var layout = ArrayLayout.Of(header.Lengths, ArrayOrder.C, header.Type.Bytes);
        if (header.Order == ArrayOrder.Fortran)
        {
            layout = layout.Transpose([]);
        }

        var isPlain = layout.IsC;
        var size = header.Type.Bytes;
        var elements = new ArrayElements(origin, layout, size);
        var piece = Math.Max(PieceBytes / size, 1);
        var buffer = isPlain ? null : ArrayPool<byte>.Shared.Rent(piece * size);
        try
        {
            fixed (byte* rented = buffer)
            {
                for (nint done = 0; done < layout.Count;)
                {
                    var count = (int)Math.Min(piece, layout.Count - done);
                    var target = isPlain ? origin + (done * size) : rented;
                    var bytes = new Span<byte>(target, count * size);
                    if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
                    {
                        throw NpyHeader.Bad("it ends within its elements");
                    }

                    if (header.Type.IsSwapped)
                    {
                        Swap(bytes, header.Type);
                    }

                    if (element == typeof(bool) && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
                    {
                        throw NpyHeader.Bad("a truth value is neither true nor false");
                    }

                    if (!isPlain)
                    {
                        elements.CopyFrom(rented, done, count);
                    }

                    done += count;
                }
            }
        }
        finally
        {
            if (buffer is not null)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>The C# type to read elements as.</summary>
    internal static Type CheckElement(NpyHeader header, Type? element)
    {
        if (element is null)
        {
            return NpyElement.TypeFor(header.Type) ?? throw new JoblibException(
                "array-elements", $"Elements of dtype {header.Type.Text} have no C# type of their own. Name a struct of the same numbers: Joblib.Load<MyStruct[]>(path).");
        }

        return NpyElement.IsElement(element) && NpyElement.Fits(header.Type, element)
            ? element
            : throw new JoblibException(
                "array-elements",
                $"The file holds elements of dtype {header.Type.Text}, not '{element.Name}'{(NpyElement.TypeFor(header.Type) is { } right ? $". Load '{right.Name}'" : "")}, or convert them in Python: array.astype(…).");
    }

    internal static void CheckLength(NpyHeader header, long mostBytes)
    {
        if (header.DataBytes > mostBytes)
        {
            throw NpyHeader.Bad($"its header claims {header.DataBytes} bytes of elements, and there are {mostBytes}");
        }
    }

    internal static JoblibException Mismatch(NpyHeader header, Type type) => new(
        "array-elements", $"The file holds an array of shape {ArrayLayout.Text(header.Lengths)}, not a '{type.Name}'. Load an array of {header.Lengths.Length} dimensions, or a MemmappedArray.");

    private static void WriteElements(ArrayElements elements, Stream stream)
    {
        var length = elements.ByteLength;
        if (elements.IsPlain)
        {
            for (long done = 0; done < length;)
            {
                var bytes = (int)Math.Min(length - done, 16 * PieceBytes);
                stream.Write(new ReadOnlySpan<byte>(elements.Origin + done, bytes));
                done += bytes;
            }

            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        fixed (byte* rented = buffer)
        {
            for (long done = 0; done < length;)
            {
                var bytes = (int)Math.Min(length - done, PieceBytes);
                elements.CopyTo(rented, done, bytes);
                stream.Write(buffer, 0, bytes);
                done += bytes;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static void Swap(Span<byte> bytes, NpyType type)
    {
        if (type.Leaves is [var single] && single.Bytes == type.Bytes)
        {
            switch (single.Bytes)
            {
                case 2:
                    var shorts = MemoryMarshal.Cast<byte, ushort>(bytes);
                    BinaryPrimitives.ReverseEndianness(shorts, shorts);
                    return;

                case 4:
                    var ints = MemoryMarshal.Cast<byte, uint>(bytes);
                    BinaryPrimitives.ReverseEndianness(ints, ints);
                    return;

                case 8:
                    var longs = MemoryMarshal.Cast<byte, ulong>(bytes);
                    BinaryPrimitives.ReverseEndianness(longs, longs);
                    return;
            }
        }

        for (var at = 0; at < bytes.Length; at += type.Bytes)
        {
            foreach (var leaf in type.Leaves)
            {
                if (leaf.IsSwapped)
                {
                    bytes.Slice(at + leaf.Offset, leaf.Bytes).Reverse();
                }
            }
        }
    }
}
