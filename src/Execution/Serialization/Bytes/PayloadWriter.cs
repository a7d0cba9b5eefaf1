using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace Orleans.Joblib;

/// <summary>Bytes of a payload, growing. Little-endian. Not thread-safe.</summary>
internal class PayloadWriter
{
    private const int KeptBytes = 1 << 20;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1024);

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>Room for <paramref name="size"/> bytes at the end; <see cref="Advance"/> says how many of them were used.</summary>
    internal Span<byte> Reserve(int size)
    {
        if (_buffer.Length - Length < size)
        {
            Grow(size);
        }

        return _buffer.AsSpan(Length);
    }

    internal void Advance(int size) => Length += size;

    /// <summary>Takes back what was written after <paramref name="length"/>.</summary>
    internal void CutTo(int length) => Length = length;

    internal void WriteByte(byte value)
    {
        if (Length == _buffer.Length)
        {
            Grow(1);
        }

        _buffer[Length++] = value;
    }

    internal void WriteVarUInt(ulong value)
    {
        var room = Reserve(10);
        var i = 0;
        while (value >= 0x80)
        {
            room[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        room[i] = (byte)value;
        Length += i + 1;
    }

    internal void WriteVarInt(long value) => WriteVarUInt((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>Writes a value as it lies in memory; never one that holds references.</summary>
    internal void WriteRaw<T>(ref T value)
        where T : struct
    {
        var size = Unsafe.SizeOf<T>();
        Unsafe.WriteUnaligned(ref MemoryMarshal.GetReference(Reserve(size)), value);
        Length += size;
    }

    internal void WriteRaw<T>(T value)
        where T : struct => WriteRaw(ref value);

    internal void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    internal void WriteBlob(scoped ReadOnlySpan<byte> bytes)
    {
        WriteVarUInt((ulong)bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>UTF-8, or UTF-16 for a string that is not well formed or is shorter that way: every string comes back as it was.</summary>
    internal void WriteString(string text)
    {
        var isUtf8 = Ascii.IsValid(text);
        var size = isUtf8 ? text.Length : Encoding.UTF8.GetByteCount(text);
        if (!isUtf8)
        {
            isUtf8 = size <= 2L * text.Length && Utf8.FromUtf16(text, Reserve(size + 16)[16..], out _, out _, replaceInvalidSequences: false) == OperationStatus.Done;
            size = isUtf8 ? size : checked(2 * text.Length);
        }

        WriteVarUInt(((ulong)size << 1) | (isUtf8 ? 0u : 1u));
        if (isUtf8)
        {
            Encoding.UTF8.GetBytes(text, Reserve(size));
        }
        else
        {
            MemoryMarshal.AsBytes(text.AsSpan()).CopyTo(Reserve(size));
        }

        Length += size;
    }

    internal void WriteOptionalString(string? text)
    {
        WriteByte(text is null ? (byte)0 : (byte)1);
        if (text is not null)
        {
            WriteString(text);
        }
    }

    internal byte[] ToArray() => Written.ToArray();

    /// <summary>Empties the buffer for the next payload and gives a large one back.</summary>
    internal void Clear()
    {
        Length = 0;
        if (_buffer.Length > KeptBytes)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(1024);
        }
    }

    private void Grow(int size)
    {
        var wanted = (long)Length + size;
        if (wanted > Array.MaxLength)
        {
            throw new RefusedException(null, "is too large: a batch of calls, or of results, holds at most 2 GiB", null);
        }

        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(wanted, 2L * _buffer.Length), Array.MaxLength));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
