namespace Orleans.Joblib;

/// <summary>A stream that knows how far it has come, for alignment.</summary>
internal sealed class CountedStream(Stream inner, long position = 0) : Stream
{
    private long _position = position;

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    internal void Align(int alignment)
    {
        Span<byte> zeros = stackalloc byte[alignment];
        zeros.Clear();
        var gap = zeros[..(int)((alignment - (_position % alignment)) % alignment)];
        if (CanWrite)
        {
            Write(gap);
        }
        else
        {
            ReadAll(gap);
        }
    }

    internal void ReadAll(Span<byte> bytes)
    {
        if (this.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw DumpFile.Bad("it ends too early");
        }
    }

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        inner.Write(buffer);
        _position += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Passes over bytes of a file.</summary>
    internal void Skip(long count)
    {
        inner.Seek(count, SeekOrigin.Current);
        _position += count;
    }

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
