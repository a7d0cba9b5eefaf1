using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Orleans.Joblib;

/// <summary>Reads a payload. Nothing is allocated before the bytes that it needs are there, and all of it is charged to a budget. Not thread-safe.</summary>
internal class PayloadReader
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer;
    private readonly int _end;
    private int _position;
    private long _budget;

    internal PayloadReader(ReadOnlyMemory<byte> payload, long budget)
    {
        if (MemoryMarshal.TryGetArray(payload, out var segment))
        {
            _buffer = segment.Array!;
            _position = segment.Offset;
            _end = segment.Offset + segment.Count;
        }
        else
        {
            _buffer = payload.ToArray();
            _end = _buffer.Length;
        }

        _budget = budget;
    }

    internal int Left => _end - _position;

    internal long Budget => _budget;

    internal static JoblibException Malformed(string what, Exception? cause = null) =>
        new("bad-payload", $"A payload is malformed: {what}. Nothing of it was run. It was cut or changed on its way, or is not from Orleans.Joblib.", cause);

    /// <summary>Pays for memory that is about to be allocated.</summary>
    internal void Charge(long bytes)
    {
        _budget -= bytes;
        if (_budget < 0 || bytes < 0)
        {
            throw Malformed("it asks for more memory than its size allows");
        }
    }

    internal byte ReadByte()
    {
        if (_position >= _end)
        {
            throw Truncated();
        }

        return _buffer[_position++];
    }

    internal ulong ReadVarUInt()
    {
        var value = (ulong)ReadByte();
        if (value < 0x80)
        {
            return value;
        }

        value &= 0x7F;
        for (var shift = 7; shift < 64; shift += 7)
        {
            ulong next = ReadByte();
            value |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                return shift == 63 && next > 1 ? throw Malformed("a number is too long") : value;
            }
        }

        throw Malformed("a number is too long");
    }

    internal long ReadVarInt()
    {
        var value = ReadVarUInt();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>A count of things of which each takes at least <paramref name="leastBytes"/> bytes of what is left.</summary>
    internal int ReadCount(int leastBytes = 1)
    {
        var count = ReadVarUInt();
        if (count > int.MaxValue || (long)count * leastBytes > Left)
        {
            throw Malformed("a count exceeds the bytes that are left");
        }

        return (int)count;
    }

    internal T ReadRaw<T>()
        where T : struct => Unsafe.ReadUnaligned<T>(ref MemoryMarshal.GetReference(ReadBytes(Unsafe.SizeOf<T>())));

    internal ReadOnlySpan<byte> ReadBytes(int count)
    {
        if ((uint)count > (uint)Left)
        {
            throw Truncated();
        }

        var bytes = _buffer.AsSpan(_position, count);
        _position += count;
        return bytes;
    }

    internal ReadOnlyMemory<byte> ReadMemory(int count)
    {
        if ((uint)count > (uint)Left)
        {
            throw Truncated();
        }

        _position += count;
        return _buffer.AsMemory(_position - count, count);
    }

    internal ReadOnlySpan<byte> ReadBlob() => ReadBytes(ReadCount());

    /// <summary>The bytes that are left, unread.</summary>
    internal ReadOnlySpan<byte> Peek() => _buffer.AsSpan(_position, Left);

    internal void Skip(int count) => ReadBytes(count);

    internal string ReadString()
    {
        var header = ReadVarUInt();
        var size = header >> 1;
        if (size > (ulong)Left)
        {
            throw Truncated();
        }

        if (size == 0)
        {
            return "";
        }

        Charge(24 + (2 * (long)size));
        var bytes = ReadBytes((int)size);
        if ((header & 1) == 0)
        {
            try
            {
                return Strict.GetString(bytes);
            }
            catch (DecoderFallbackException exception)
            {
                throw Malformed("a string is not UTF-8", exception);
            }
        }

        if ((size & 1) != 0)
        {
            throw Malformed("a string has half a character");
        }

        return new string(MemoryMarshal.Cast<byte, char>(bytes));
    }

    internal string? ReadOptionalString() => ReadByte() == 0 ? null : ReadString();

    protected void RefundTo(long budget) => _budget = budget;

    private static JoblibException Truncated() => Malformed("it ends too early");
}
