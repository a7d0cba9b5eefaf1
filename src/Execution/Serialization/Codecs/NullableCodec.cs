namespace Orleans.Joblib;

/// <summary>A value or nothing.</summary>
internal sealed class NullableCodec<T>(FieldCodec<T> inner) : FieldCodec<T?>
    where T : struct
{
    internal override bool IsWhole => inner.IsWhole;

    internal override void Write(GraphWriter writer, ref T? value)
    {
        writer.WriteByte(value.HasValue ? (byte)1 : (byte)0);
        if (value.HasValue)
        {
            var present = value.GetValueOrDefault();
            inner.Write(writer, ref present);
        }
    }

    internal override void Read(GraphReader reader, ref T? value)
    {
        if (reader.ReadByte() == 0)
        {
            value = null;
            return;
        }

        var present = default(T);
        inner.Read(reader, ref present);
        value = present;
    }
}
