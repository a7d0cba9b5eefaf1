using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>Between <see cref="Memory{T}"/> of any T, as the codecs have it, and mapped memory, whose T has no references.</summary>
internal static class MappedMemories
{
    private static readonly ConcurrentDictionary<Type, object?> Known = new();

    /// <summary>The memory-mapped array of one dimension that a memory is a part of; exactly that part.</summary>
    internal static bool TryArrayOf<T>(ReadOnlyMemory<T> memory, out object? array)
    {
        array = For<T>()?.ArrayOf(memory);
        return array is not null;
    }

    internal static bool IsReadOnly<T>(ReadOnlyMemory<T> memory) => For<T>() is { } access && access.IsReadOnly(memory);

    internal static ReadOnlyMemory<T> MemoryOf<T>(IMemmapped array, int start, int length) =>
        For<T>() is { } access && array.Layout is { Rank: 1, IsC: true } layout && start <= layout.Count - length
            ? access.MemoryOf(array, start, length)
            : throw PayloadReader.Malformed("a range of an array is out of bounds");

    private static Access<T>? For<T>() => typeof(T).IsCollectible ? Make<T>() : (Access<T>?)Known.GetOrAdd(typeof(T), static _ => Make<T>());

    private static Access<T>? Make<T>() => NpyElement.IsElement(typeof(T))
        ? (Access<T>)Activator.CreateInstance(typeof(AccessTo<>).MakeGenericType(typeof(T)), BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public, null, [], null)!
        : null;

    private abstract class Access<T>
    {
        internal abstract object? ArrayOf(ReadOnlyMemory<T> memory);

        internal abstract bool IsReadOnly(ReadOnlyMemory<T> memory);

        internal abstract ReadOnlyMemory<T> MemoryOf(IMemmapped array, int start, int length);
    }

    private sealed unsafe class AccessTo<T> : Access<T>
        where T : unmanaged
    {
        internal override object? ArrayOf(ReadOnlyMemory<T> memory) => MemoryMarshal.TryGetMemoryManager<T, MappedMemory<T>>(memory, out var mapped, out var start, out var length)
            ? new MemmappedArray<T>(mapped.File, mapped.Start + start, ArrayLayout.Of([length], ArrayOrder.C, sizeof(T)))
            : null;

        internal override bool IsReadOnly(ReadOnlyMemory<T> memory) =>
            MemoryMarshal.TryGetMemoryManager<T, MappedMemory<T>>(memory, out var mapped) && mapped.File.Mode == MmapMode.ReadOnly;

        internal override ReadOnlyMemory<T> MemoryOf(IMemmapped array, int start, int length) => ((MemmappedArray<T>)array).AsReadOnlyMemory(start, length);
    }
}
