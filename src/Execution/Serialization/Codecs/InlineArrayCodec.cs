using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A struct that is an array: its one field, repeated.</summary>
internal sealed class InlineArrayCodec<T, TElement>(int length, FieldCodec<TElement> element) : FieldCodec<T>
    where T : struct
{
    internal override int LeastBytes => length * element.LeastBytes;

    internal override bool IsWhole => element.IsWhole;

    internal override void Write(GraphWriter writer, ref T value)
    {
        for (var i = 0; i < length; i++)
        {
            element.Write(writer, ref Unsafe.Add(ref Unsafe.As<T, TElement>(ref value), i));
        }
    }

    internal override void Read(GraphReader reader, ref T value)
    {
        for (var i = 0; i < length; i++)
        {
            element.Read(reader, ref Unsafe.Add(ref Unsafe.As<T, TElement>(ref value), i));
        }
    }
}
