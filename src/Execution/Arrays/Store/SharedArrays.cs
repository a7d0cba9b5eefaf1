using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>Arrays of .NET with a segment's elements. Large ones are not copied (<see cref="MappedVector"/>), and found again by later runs as long as the collector leaves them.</summary>
internal static unsafe class SharedArrays
{
    private static readonly ConcurrentDictionary<(string Path, Type Type), WeakReference<Array>> Vectors = new();

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

        var bytes = (long)layout.Count * elementBytes;
        if (type.IsSZArray && Vector(mapping, reference, type, lengths[0], bytes) is { } vector)
        {
            return vector;
        }

        var array = type.IsSZArray ? NpyElement.NewVector(element, lengths[0]) : Array.CreateInstance(element, lengths);
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

    private static Array? Vector(MappedFile mapping, ArrayReference reference, Type type, int length, long bytes)
    {
        if (bytes < MappedVector.LeastBytes)
        {
            return null;
        }

        var key = (reference.Path, type);
        if (Vectors.TryGetValue(key, out var known) && known.TryGetTarget(out var array) && array.Length == length && MappedVector.TryTake(array))
        {
            // The same content, since its name is the same.
            return array;
        }

        var made = MappedVector.TryMake(mapping, reference.Offset, type.GetElementType()!, length, bytes);
        if (made is null)
        {
            return null;
        }

        foreach (var (old, reference1) in Vectors)
        {
            if (!reference1.TryGetTarget(out _))
            {
                Vectors.TryRemove(new KeyValuePair<(string, Type), WeakReference<Array>>(old, reference1));
            }
        }

        if (!type.IsCollectible)
        {
            Vectors[key] = new WeakReference<Array>(made);
        }

        return made;
    }
}
