using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>Arrays of .NET with a segment's elements.</summary>
internal static unsafe class SharedArrays
{
    internal static Array Load(MappedFile mapping, ArrayReference reference, Type type)
    {
        var element = type.GetElementType()!;
        var elementBytes = NpyElement.Of(element).Bytes;
        var layout = reference.LayoutIn(mapping.Length, elementBytes);
        if (layout.Rank != (type.IsSZArray ? 1 : type.GetArrayRank()) || !layout.IsC || layout.Count > Array.MaxLength)
        {
            throw PayloadReader.Malformed("a reference to an array");
        }

        var lengths = new int[layout.Rank];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = checked((int)layout.Lengths[i]);
        }

        var array = type.IsSZArray ? NpyElement.NewVector(element, lengths[0]) : Array.CreateInstance(element, lengths);
        var bytes = (long)layout.Count * elementBytes;
        if (bytes > 0)
        {
            fixed (byte* to = &MemoryMarshal.GetArrayDataReference(array))
            {
                Buffer.MemoryCopy(mapping.Start + reference.Offset, to, bytes, bytes);
            }
        }

        GC.KeepAlive(mapping);
        return array;
    }
}
