using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Numbers and structs of numbers, as they lie in memory.</summary>
internal sealed class RawCodec<T> : FieldCodec<T>
    where T : struct
{
    internal override int LeastBytes => Unsafe.SizeOf<T>();

    internal override bool IsRaw => true;

    internal override bool IsWhole => true;

    internal override void Write(GraphWriter writer, ref T value) => writer.WriteRaw(ref value);

    internal override void Read(GraphReader reader, ref T value) => value = reader.ReadRaw<T>();
}
