using System.Reflection;

namespace Orleans.Joblib;

/// <summary>A <c>.npy</c> file as the type that the user asks for.</summary>
internal static class NpyValue
{
    private static readonly MethodInfo MapMethod = typeof(NpyValue).GetMethod(nameof(Map), BindingFlags.NonPublic | BindingFlags.Static)!;

    private static readonly MethodInfo MemoryMethod = typeof(NpyValue).GetMethod(nameof(Memory), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <param name="stream">Stands at the first element.</param>
    /// <param name="header">The head.</param>
    /// <param name="type">An array, a memory-mapped one, a memory, the element of an array without dimensions, or <see cref="object"/> for what the file suggests.</param>
    /// <param name="mostBytes">What the file can hold at most.</param>
    /// <param name="path">The file to map; null to read it.</param>
    /// <param name="mode">How to map it.</param>
    internal static object? Read(Stream stream, NpyHeader header, Type type, long mostBytes, string? path, MmapMode mode)
    {
        NpyFile.CheckLength(header, mostBytes - header.DataOffset);
        var open = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        if (open == typeof(MemmappedArray<>) || (path is not null && type == typeof(object)))
        {
            return Invoke(MapMethod, NpyFile.CheckElement(header, open is null ? null : type.GetGenericArguments()[0]), stream, header, path, mode);
        }

        if (open == typeof(Memory<>) || open == typeof(ReadOnlyMemory<>))
        {
            return Invoke(MemoryMethod, NpyFile.CheckElement(header, type.GetGenericArguments()[0]), stream, header, path, mode, open == typeof(Memory<>));
        }

        if (path is not null)
        {
            throw new ArgumentException($"A '{type.Name}' cannot be mapped. Load a MemmappedArray, a Memory or a ReadOnlyMemory, or leave 'mmapMode' out.");
        }

        if (header.Lengths.Length == 0 && !type.IsArray)
        {
            var one = header with { Lengths = [1] };
            return NpyFile.Read(stream, one, NpyFile.CheckElement(header, type == typeof(object) ? null : type).MakeArrayType(), mostBytes).GetValue(0);
        }

        return type.IsArray || type == typeof(object) || type == typeof(Array)
            ? NpyFile.Read(stream, header, type.IsArray ? type : null, mostBytes)
            : throw new InvalidCastException($"The file holds an array of dtype {header.Type.Text} and shape {ArrayLayout.Text(header.Lengths)}, not a '{type}'.");
    }

    private static object? Invoke(MethodInfo method, Type element, params object?[] arguments) =>
        method.MakeGenericMethod(element).Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null);

    private static MemmappedArray<T> Map<T>(Stream stream, NpyHeader header, string? path, MmapMode mode)
        where T : unmanaged
    {
        if (path is null)
        {
            return MemmappedArray<T>.InMemory(header, stream);
        }

        using var file = MappedFile.Open(path, mode);
        return MemmappedArray<T>.Map(file, path, header, 0, mode);
    }

    private static object Memory<T>(Stream stream, NpyHeader header, string? path, MmapMode mode, bool isWritable)
        where T : unmanaged
    {
        if (header.Lengths.Length != 1)
        {
            throw NpyFile.Mismatch(header, typeof(Memory<T>));
        }

        var array = Map<T>(stream, header, path, mode);
        return isWritable ? (object)array.AsMemory() : array.AsReadOnlyMemory();
    }
}
