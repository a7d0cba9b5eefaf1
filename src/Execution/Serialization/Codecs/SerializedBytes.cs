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

    internal static T Read<T>(PayloadReader reader, ICallSerializer<T> serializer) => serializer.Read(new ReadOnlySequence<byte>(reader.ReadMemory(reader.ReadCount())));
}
