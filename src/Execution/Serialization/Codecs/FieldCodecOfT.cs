using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Writes and reads values of type <typeparamref name="T"/> where they lie. Stateless between calls, thread-safe.</summary>
internal abstract class FieldCodec<T> : FieldCodec
{
    internal override int Size => Unsafe.SizeOf<T>();

    internal abstract void Write(GraphWriter writer, ref T value);

    internal abstract void Read(GraphReader reader, ref T value);
}
