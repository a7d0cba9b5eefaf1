using System.Buffers.Binary;
using System.Text;

namespace Orleans.Joblib;

/// <summary>The head of a <c>.npy</c> file: what its elements are, their order and shape, and where they begin.</summary>
/// <param name="Type">The elements.</param>
/// <param name="Order">Their order.</param>
/// <param name="Lengths">The shape.</param>
/// <param name="DataOffset">Bytes before the first element.</param>
/// <remarks>numpy: <c>numpy.lib.format</c>, versions 1.0, 2.0 and 3.0.</remarks>
internal sealed record NpyHeader(NpyType Type, ArrayOrder Order, nint[] Lengths, int DataOffset)
{
    /// <summary>Where numpy has data begin.</summary>
    internal const int Alignment = 64;

    /// <summary>Bytes of the longest head that is read; numpy's own limit is 10,000 for files that are not trusted.</summary>
    internal const int MaxBytes = 1 << 20;

    private const int PrefixBytes = 10;

    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    internal long DataBytes => (long)ArrayLayout.CountOf(Lengths, Type.Bytes) * Type.Bytes;

    internal ArrayLayout Layout => ArrayLayout.Of(Lengths, Order, Type.Bytes);

    internal static JoblibException Bad(string what, Exception? cause = null) =>
        new("bad-array-file", $"The .npy file is malformed: {what}. It was cut or changed, or another program wrote it. Nothing of it was loaded.", cause);

    /// <summary>The head of a file that is to be written.</summary>
    /// <param name="type">The elements.</param>
    /// <param name="order">Their order.</param>
    /// <param name="lengths">The shape.</param>
    /// <param name="alignment">What its length is a multiple of.</param>
    /// <param name="extra">How much longer than that it is.</param>
    internal static byte[] Write(NpyType type, ArrayOrder order, ReadOnlySpan<nint> lengths, int alignment = Alignment, int extra = 0)
    {
        var shape = new object?[lengths.Length];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = (long)lengths[i];
        }

        var text = $"{{'descr': {type.Text}, 'fortran_order': {(order == ArrayOrder.Fortran ? "True" : "False")}, 'shape': {PythonLiteral.Write(shape)}, }}";
        var isLatin = text.All(c => c < 256);
        var encoding = isLatin ? Encoding.Latin1 : Encoding.UTF8;
        var bytes = encoding.GetByteCount(text) + 1;
        var version = !isLatin ? 3 : Rounded(PrefixBytes + bytes, alignment) + extra - PrefixBytes > ushort.MaxValue ? 2 : 1;
        var prefix = version == 1 ? PrefixBytes : PrefixBytes + 2;
        var whole = new byte[Rounded(prefix + bytes, alignment) + extra];
        Magic.CopyTo(whole);
        whole[6] = (byte)version;
        if (version == 1)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(whole.AsSpan(8), (ushort)(whole.Length - prefix));
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(8), (uint)(whole.Length - prefix));
        }

        whole.AsSpan(prefix).Fill((byte)' ');
        encoding.GetBytes(text, whole.AsSpan(prefix));
        whole[^1] = (byte)'\n';
        return whole;
    }

    /// <summary>Reads a head; the stream stands at the first element afterwards.</summary>
    /// <exception cref="JoblibException">It is not the head of a <c>.npy</c> file.</exception>
    internal static NpyHeader Read(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes + 2];
        if (stream.ReadAtLeast(prefix[..PrefixBytes], PrefixBytes, throwOnEndOfStream: false) < PrefixBytes)
        {
            throw Bad("it ends within its header");
        }

        if (!prefix.StartsWith(Magic))
        {
            throw Bad("it does not begin as one");
        }

        var version = prefix[6];
        if (version is < 1 or > 3 || prefix[7] != 0)
        {
            throw Bad($"its format is '{version}.{prefix[7]}', of which only 1.0, 2.0 and 3.0 are known");
        }

        uint length = BinaryPrimitives.ReadUInt16LittleEndian(prefix[8..]);
        if (version > 1)
        {
            if (stream.ReadAtLeast(prefix[PrefixBytes..], 2, throwOnEndOfStream: false) < 2)
            {
                throw Bad("it ends within its header");
            }

            length = BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
        }

        if (length > MaxBytes)
        {
            throw Bad($"its header claims '{length}' bytes, more than {MaxBytes}");
        }

        var bytes = new byte[length];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw Bad("it ends within its header");
        }

        string text;
        try
        {
            text = version == 3 ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes) : Encoding.Latin1.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw Bad("its header is not UTF-8", exception);
        }

        return Parse(text, (version == 1 ? PrefixBytes : PrefixBytes + 2) + bytes.Length);
    }

    private static NpyHeader Parse(string text, int dataOffset)
    {
        if (PythonLiteral.Read(text) is not Dictionary<string, object?> { Count: 3 } table
            || !table.TryGetValue("descr", out var description)
            || !table.TryGetValue("fortran_order", out var order)
            || !table.TryGetValue("shape", out var shape))
        {
            throw Bad("its header does not say 'descr', 'fortran_order' and 'shape'");
        }

        if (order is not bool isFortran)
        {
            throw Bad($"'fortran_order' is '{PythonLiteral.Write(order)}'");
        }

        if (shape is not object?[] lengths || !lengths.All(length => length is long and >= 0))
        {
            throw Bad($"'shape' is '{PythonLiteral.Write(shape)}'");
        }

        var type = NpyType.Read(description);
        nint[] counts = [.. lengths.Select(length => (nint)(long)length!)];
        return ArrayLayout.CountOf(counts, type.Bytes) >= 0
            ? new NpyHeader(type, isFortran ? ArrayOrder.Fortran : ArrayOrder.C, counts, dataOffset)
            : throw Bad($"its shape '{PythonLiteral.Write(shape)}' is more than memory can address");
    }

    private static int Rounded(int length, int alignment) => (length + alignment - 1) / alignment * alignment;
}
