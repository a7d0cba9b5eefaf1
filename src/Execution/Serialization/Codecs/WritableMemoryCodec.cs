using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>As <see cref="MemoryCodec{T}"/>: the two structs have one layout, but a string is never writable.</summary>
internal sealed class WritableMemoryCodec<T> : FieldCodec<Memory<T>>
{
    private static readonly MemoryCodec<T> ReadOnly = new();

    internal override void Write(GraphWriter writer, ref Memory<T> value)
    {
        ReadOnlyMemory<T> view = value;
        ReadOnly.Write(writer, ref view);
    }

    internal override void Read(GraphReader reader, ref Memory<T> value)
    {
        var view = default(ReadOnlyMemory<T>);
        ReadOnly.Read(reader, ref view);
        value = System.Runtime.InteropServices.MemoryMarshal.AsMemory(view);
    }
}
