using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>As <see cref="MemoryCodec{T}"/>: the two structs have one layout, but a string is never writable.</summary>
internal sealed class WritableMemoryCodec<T> : FieldCodec<Memory<T>>
{
    private static readonly MemoryCodec<T> ReadOnly = new();

    internal override void Write(GraphWriter writer, ref Memory<T> value) => MemoryCodec<T>.Write(writer, value, isWritable: true);

    internal override void Read(GraphReader reader, ref Memory<T> value)
    {
        var view = default(ReadOnlyMemory<T>);
        ReadOnly.Read(reader, ref view);
        if (MappedMemories.IsReadOnly(view))
        {
            // Who writes to it would end the process.
            throw PayloadReader.Malformed("a memory that is read-only is said to be writable");
        }

        value = System.Runtime.InteropServices.MemoryMarshal.AsMemory(view);
    }
}
