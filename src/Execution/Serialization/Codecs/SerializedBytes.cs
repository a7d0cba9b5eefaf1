using System.Buffers;

namespace Orleans.Joblib;

/// <summary>A value in the bytes of a user's serializer.</summary>
internal static class SerializedBytes
{
    internal static void Write<T>(PayloadWriter writer, ICallSerializer<T> serializer, T value)
    {
        var bytes = new ArrayBufferWriter<byte>();
        try
        {
            serializer.Write(value, bytes);
        }
        catch (Exception exception)
        {
            throw new RefusedException(typeof(T), $"was refused by its serializer '{serializer.GetType().Name}': {exception.Message}", value);
        }

        writer.WriteBlob(bytes.WrittenSpan);
    }

    internal static T Read<T>(PayloadReader reader, ICallSerializer<T> serializer)
    {
        var bytes = new ReadOnlySequence<byte>(reader.ReadMemory(reader.ReadCount()));
        try
        {
            return serializer.Read(bytes);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new JoblibException("serializer-failed", $"The serializer '{serializer.GetType()}' could not read a '{typeof(T)}' of {bytes.Length:N0} bytes: {exception.Message} Correct its Read: it gets what its Write wrote.", exception);
        }
    }
}
