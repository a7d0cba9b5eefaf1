using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Arrays of .NET with a segment's elements. Large ones are not copied (<see cref="MappedVector"/>), and found again by later runs as long as the collector leaves them.</summary>
internal static unsafe class SharedArrays
{
    private const int LargestRead = 1 << 30;

    private const int LeastPruned = 64;

    private static readonly ConcurrentDictionary<(string Path, Type Type), WeakReference<Array>> Vectors = new();
    private static int _pruneAt = LeastPruned;

    internal static Array Load(MappedFile mapping, ArrayReference reference, Type type)
    {
        var (lengths, bytes) = ShapeOf(reference, type, mapping.Length);
        if (Vector(mapping, reference, type, lengths[0], bytes) is { } vector)
        {
            return vector;
        }

        var array = mapping.Owner is SegmentLock segment ? Read(segment.File, reference, type, lengths, bytes) : Copy(mapping, reference, type, lengths, bytes);

        // Its lock closes the file when nothing refers to it any more.
        GC.KeepAlive(mapping);
        return array;
    }

    /// <summary>Whether an array is to have a segment's pages, instead of a copy of them.</summary>
    internal static bool IsMapped(ArrayReference reference, Type type) =>
        type.IsSZArray && ArrayLayout.CountOf(reference.Lengths, NpyElement.Of(type.GetElementType()!).Bytes) is var count && count >= 0
        && count * NpyElement.Of(type.GetElementType()!).Bytes >= MappedVector.LeastBytes;

    /// <summary>A copy of a segment's array. Reading is faster than touching the pages of a mapping for the first time.</summary>
    internal static Array Read(SafeFileHandle file, ArrayReference reference, Type type)
    {
        using var closing = file;
        var (lengths, bytes) = ShapeOf(reference, type, RandomAccess.GetLength(file));
        return Read(file, reference, type, lengths, bytes);
    }

    private static Array Copy(MappedFile mapping, ArrayReference reference, Type type, int[] lengths, long bytes)
    {
        var array = New(type, lengths);
        fixed (byte* to = &MemoryMarshal.GetArrayDataReference(array))
        {
            Buffer.MemoryCopy(mapping.Start + reference.Offset, to, bytes, bytes);
        }

        return array;
    }

    private static Array Read(SafeFileHandle file, ArrayReference reference, Type type, int[] lengths, long bytes)
    {
        var array = New(type, lengths);
        if (bytes == 0)
        {
            return array;
        }

        fixed (byte* to = &MemoryMarshal.GetArrayDataReference(array))
        {
            for (long done = 0; done < bytes;)
            {
                var read = RandomAccess.Read(file, new Span<byte>(to + done, (int)Math.Min(bytes - done, LargestRead)), reference.Offset + done);
                done += read > 0 ? read : throw new EndOfStreamException(reference.Path);
            }
        }

        return array;
    }

    /// <summary>An array that nobody shares, out of a segment that nobody else wants.</summary>
    internal static Array Take(SafeFileHandle file, ArrayReference reference, Type type)
    {
        var length = RandomAccess.GetLength(file);
        var (lengths, bytes) = ShapeOf(reference, type, length);
        MappedFile? mapping = null;
        if (type.IsSZArray && bytes >= MappedVector.LeastOfRegion)
        {
            mapping = MappedFile.Map(file, reference.Path, length, MmapMode.ReadOnly, new SegmentLock(file, reference.Path));
            if (MappedVector.TryMake(mapping, reference.Offset, type.GetElementType()!, lengths[0], bytes) is { } vector)
            {
                // It lives on in the mapping.
                SegmentFile.Remove(reference.Path);
                return vector;
            }
        }

        var array = Read(file, reference, type);

        // Its lock closes the file when nothing refers to it any more.
        GC.KeepAlive(mapping);

        // Its writer uses the room again, unless it has died.
        ArrayStore.DeleteIfUnused(reference.Path);
        return array;
    }

    private static Array New(Type type, int[] lengths) =>
        type.IsSZArray ? NpyElement.NewVector(type.GetElementType()!, lengths[0]) : Array.CreateInstance(type.GetElementType()!, lengths);

    private static (int[] Lengths, long Bytes) ShapeOf(ArrayReference reference, Type type, long fileBytes)
    {
        var elementBytes = NpyElement.Of(type.GetElementType()!).Bytes;
        var layout = reference.LayoutIn(fileBytes, elementBytes);
        if (layout.Rank != (type.IsSZArray ? 1 : type.GetArrayRank()) || !layout.IsC || layout.Count > Array.MaxLength)
        {
            throw PayloadReader.Malformed("a reference to an array");
        }

        var lengths = new int[layout.Rank];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = checked((int)layout.Lengths[i]);
        }

        return (lengths, (long)layout.Count * elementBytes);
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

        if (Vectors.Count >= Volatile.Read(ref _pruneAt))
        {
            foreach (var (old, dead) in Vectors)
            {
                if (!dead.TryGetTarget(out _))
                {
                    Vectors.TryRemove(new KeyValuePair<(string, Type), WeakReference<Array>>(old, dead));
                }
            }

            Volatile.Write(ref _pruneAt, Math.Max(LeastPruned, 2 * Vectors.Count));
        }

        if (!type.IsCollectible)
        {
            Vectors[key] = new WeakReference<Array>(made);
        }

        return made;
    }
}
