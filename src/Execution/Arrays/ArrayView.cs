using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>An array of any kind whose elements hold no references: .NET's, of any rank, or a memory-mapped one. What it is and how to get at its bytes.</summary>
/// <param name="Holder">The array; it keeps the memory alive.</param>
/// <param name="ElementType">The elements.</param>
/// <param name="Layout">Shape and strides.</param>
/// <param name="ElementBytes">The size of an element.</param>
internal readonly record struct ArrayView(object Holder, Type ElementType, ArrayLayout Layout, int ElementBytes)
{
    internal long ByteLength => (long)Layout.Count * ElementBytes;

    internal NpyType Type => NpyElement.Of(ElementType);

    /// <summary>A view of an array; null when it is none, or its elements hold references, or it does not start at 0.</summary>
    internal static ArrayView? TryOf(object? value)
    {
        if (value is IMemmapped mapped)
        {
            return new ArrayView(value, mapped.ElementType, mapped.Layout, NpyElement.Of(mapped.ElementType).Bytes);
        }

        if (value is not Array array || array.GetType().GetElementType() is not { } element || !NpyElement.IsElement(element))
        {
            return null;
        }

        var lengths = new nint[array.Rank];
        for (var i = 0; i < lengths.Length; i++)
        {
            if (array.GetLowerBound(i) != 0)
            {
                return null;
            }

            lengths[i] = array.GetLength(i);
        }

        var bytes = NpyElement.Of(element).Bytes;
        return new ArrayView(value, element, ArrayLayout.Of(lengths, ArrayOrder.C, bytes), bytes);
    }

    /// <summary>Bytes of an array whose elements hold no references; 0 for others.</summary>
    internal static long ByteLengthOf(Array array) =>
        array.GetType().GetElementType() is { } element && NpyElement.IsElement(element) ? array.LongLength * NpyElement.Of(element).Bytes : 0;

    /// <summary>Does something with the elements while their memory is where it is.</summary>
    internal unsafe TResult Read<TState, TResult>(TState state, Func<ArrayElements, TState, TResult> action)
    {
        if (Holder is IMemmapped mapped)
        {
            var mapping = mapped.Mapping;
            var result = action(new ArrayElements(mapped.Origin, Layout, ElementBytes), state);
            GC.KeepAlive(mapping);
            return result;
        }

        fixed (byte* origin = &MemoryMarshal.GetArrayDataReference((Array)Holder))
        {
            return action(new ArrayElements(origin, Layout, ElementBytes), state);
        }
    }
}
