using System.Buffers.Binary;

namespace Orleans.Joblib;

/// <summary>Reads frames from a pipe: four bytes of length, one of kind, the body. One thread.</summary>
internal sealed class FrameReader(Stream stream)
{
    internal const int HeaderLength = 5;
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;

    /// <summary>Waits for the next frame.</summary>
    /// <returns>False when the other side has closed the pipe, in the middle of a frame too.</returns>
    /// <exception cref="JoblibException">What came is no frame.</exception>
    internal bool TryRead(out FrameKind kind, out byte[] body)
    {
        kind = default;
        body = [];
        if (!TryFill(HeaderLength))
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(_start));
        kind = (FrameKind)_buffer[_start + sizeof(int)];
        if (length < 0 || !Enum.IsDefined(kind))
        {
            throw new JoblibException("worker-protocol", "A worker process and its program do not understand each other: what came is no frame. Something else writes to the worker's standard output, or the two are of different versions of Orleans.Joblib.");
        }

        _start += HeaderLength;
        body = GC.AllocateUninitializedArray<byte>(length);
        var ready = Math.Min(length, _end - _start);
        _buffer.AsSpan(_start, ready).CopyTo(body);
        _start += ready;
        while (ready < length)
        {
            var count = stream.Read(body, ready, length - ready);
            if (count == 0)
            {
                return false;
            }

            ready += count;
        }

        return true;
    }

    private bool TryFill(int count)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_buffer.Length - _start < count)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        while (_end - _start < count)
        {
            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                return false;
            }

            _end += read;
        }

        return true;
    }
}
