using Orleans.Serialization;

namespace Orleans.Joblib;

/// <summary>A value in Orleans' format, complete in itself.</summary>
internal static class OrleansBytes
{
    internal static void Write<T>(GraphWriter writer, Serializer<T> serializer, T value)
    {
        byte[] bytes;
        try
        {
            bytes = serializer.SerializeToArray(value);
        }
        catch (Exception exception)
        {
            throw new RefusedException(typeof(T), $"was refused by Orleans' serializer: {exception.Message}", value)
            {
                Remedy = "Give what it holds [GenerateSerializer] too, or take the attribute away: plain classes travel by themselves",
            };
        }

        writer.Charge(16L * bytes.Length);
        writer.WriteBlob(bytes);
    }

    internal static T Read<T>(GraphReader reader, Serializer<T> serializer)
    {
        var bytes = reader.ReadMemory(reader.ReadCount());
        reader.Charge(16L * bytes.Length);
        return serializer.Deserialize(bytes) ?? throw PayloadReader.Malformed($"a '{typeof(T)}' that is null");
    }
}
