using System.Buffers.Binary;

namespace Orleans.Joblib;

/// <summary>A frame on its way: its head, and a large payload that is not copied behind it.</summary>
internal readonly struct Frame
{
    // Smaller payloads travel with their head in one write: a second would wake the reader twice.
    private const int LargePayload = 1 << 15;

    [ThreadStatic]
    private static PayloadWriter? _writer;

    private Frame(byte[] head, ReadOnlyMemory<byte> payload)
    {
        Head = head;
        Payload = payload;
    }

    internal byte[] Head { get; }

    internal ReadOnlyMemory<byte> Payload { get; }

    /// <summary>Makes a frame.</summary>
    /// <param name="kind">What it says.</param>
    /// <param name="write">Writes its body, all but the payload; null for none.</param>
    /// <param name="payload">The end of its body.</param>
    internal static Frame Of(FrameKind kind, Action<PayloadWriter>? write = null, ReadOnlyMemory<byte> payload = default)
    {
        var writer = _writer ??= new PayloadWriter();
        writer.Clear();
        writer.WriteRaw(0);
        writer.WriteByte((byte)kind);
        write?.Invoke(writer);
        var length = writer.Length - FrameReader.HeaderLength + payload.Length;
        if (length < 0)
        {
            throw new JoblibException("payload-too-large", "A batch or its results take more than 2 GiB as bytes. Make batches smaller, or return less: write large results to files.");
        }

        var isLarge = payload.Length > LargePayload;
        if (!isLarge)
        {
            writer.WriteBytes(payload.Span);
        }

        var head = writer.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(head, length);
        return new Frame(head, isLarge ? payload : default);
    }
}
