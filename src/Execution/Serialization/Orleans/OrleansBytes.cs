using System.Buffers;
using Orleans.Serialization;

namespace Orleans.Joblib;

/// <summary>A value in Orleans' format, complete in itself.</summary>
internal static class OrleansBytes
{
    internal static void Write<T>(GraphWriter writer, OrleansRegistry registry, Serializer<T> serializer, T value)
    {
        var output = new ArrayBufferWriter<byte>();
        var session = registry.Rent();
        try
        {
            serializer.Serialize(value, output, session);
        }
        catch (Exception exception)
        {
            throw new RefusedException(typeof(T), $"was refused by Orleans' serializer: {exception.Message}", value)
            {
                Remedy = "Give what it holds [GenerateSerializer] too, or take the attribute away: plain classes travel by themselves",
            };
        }
        finally
        {
            registry.Return(session);
        }

        writer.Charge(16L * output.WrittenCount);
        writer.WriteBlob(output.WrittenSpan);
    }

    internal static T Read<T>(GraphReader reader, OrleansRegistry registry, Serializer<T> serializer)
    {
        var bytes = reader.ReadMemory(reader.ReadCount());
        reader.Charge(16L * bytes.Length);
        var session = registry.Rent();
        try
        {
            return serializer.Deserialize(new ReadOnlySequence<byte>(bytes), session) ?? throw PayloadReader.Malformed($"a '{typeof(T)}' that is null");
        }
        finally
        {
            registry.Return(session);
        }
    }
}
