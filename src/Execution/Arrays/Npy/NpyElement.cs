using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>How elements of a C# type are described to numpy.</summary>
internal static class NpyElement
{
    // Types of collectible contexts are not kept: they could not be unloaded.
    private static readonly ConcurrentDictionary<Type, NpyType> Known = new();

    private static readonly ConditionalWeakTable<Type, object> Elements = [];

    private static readonly MethodInfo NewVectorOf = typeof(NpyElement).GetMethod(nameof(NewVectorCore), BindingFlags.Static | BindingFlags.NonPublic)!;

    private static readonly MethodInfo NewPinnedVectorOf = typeof(NpyElement).GetMethod(nameof(NewPinnedVectorCore), BindingFlags.Static | BindingFlags.NonPublic)!;

    private static readonly Dictionary<Type, (char Kind, int Bytes)> Simple = new()
    {
        [typeof(bool)] = ('b', 1),
        [typeof(sbyte)] = ('i', 1),
        [typeof(byte)] = ('u', 1),
        [typeof(short)] = ('i', 2),
        [typeof(ushort)] = ('u', 2),
        [typeof(char)] = ('u', 2),
        [typeof(int)] = ('i', 4),
        [typeof(uint)] = ('u', 4),
        [typeof(long)] = ('i', 8),
        [typeof(ulong)] = ('u', 8),
        [typeof(Half)] = ('f', 2),
        [typeof(float)] = ('f', 4),
        [typeof(double)] = ('f', 8),
    };

    /// <summary>The description of a type without references. What numpy has no word for is bytes ('|V16').</summary>
    internal static NpyType Of(Type type)
    {
        if (Known.TryGetValue(type, out var known))
        {
            return known;
        }

        var made = Make(type);
        return type.IsCollectible ? made : Known.GetOrAdd(type, made);
    }

    /// <summary>Whether arrays of the type are bytes that another process can look at: it holds no references and no addresses.</summary>
    internal static bool IsElement(Type type) => type.IsValueType && !type.IsByRefLike && !type.ContainsGenericParameters && type != typeof(nint) && type != typeof(nuint)
        && (bool)Elements.GetValue(type, static type => !HoldsReferences(type));

    internal static Array NewVector(Type element, int length) =>
        (Array)NewVectorOf.MakeGenericMethod(element).Invoke(null, [length])!;

    internal static Array NewPinnedVector(Type element, int length) => (Array)NewPinnedVectorOf.MakeGenericMethod(element).Invoke(null, [length])!;

    /// <summary>Whether elements of a file can be looked at as elements of the type: the same numbers at the same places, whatever their names.</summary>
    internal static bool Fits(NpyType file, Type type)
    {
        var ours = Of(type);
        if (ours.Bytes != file.Bytes)
        {
            return false;
        }

        // Bytes without a meaning mean what the reader says.
        if (file.Leaves is [{ Kind: 'V' }])
        {
            return true;
        }

        return ours.Leaves.Count == file.Leaves.Count
            && ours.Leaves.Zip(file.Leaves).All(pair => pair.First.Offset == pair.Second.Offset && pair.First.Bytes == pair.Second.Bytes && pair.First.Kind == pair.Second.Kind);
    }

    /// <summary>The C# type for a description that was given none; null for records.</summary>
    internal static Type? TypeFor(NpyType type)
    {
        if (type.Leaves is [{ Kind: 'f', Bytes: 8 }, { Kind: 'f', Bytes: 8 }] && !type.Text.Contains('[', StringComparison.Ordinal))
        {
            return typeof(System.Numerics.Complex);
        }

        if (type.Leaves is not [var leaf] || leaf.Bytes != type.Bytes)
        {
            return null;
        }

        foreach (var (candidate, (kind, bytes)) in Simple)
        {
            if (kind == leaf.Kind && bytes == leaf.Bytes)
            {
                return candidate;
            }
        }

        return null;
    }

    private static NpyType Make(Type type)
    {
        var under = type.IsEnum ? type.GetEnumUnderlyingType() : type;
        if (Simple.TryGetValue(under, out var simple))
        {
            return NpyType.Read(Text(simple.Kind, simple.Bytes));
        }

        if (type == typeof(System.Numerics.Complex))
        {
            return NpyType.Read(Text('c', 16));
        }

        var size = SizeOf(type);
        return Fields(type, size) is { } fields ? NpyType.Read(fields) : NpyType.Read($"|V{size}");
    }

    private static string Text(char kind, int bytes) => $"{(bytes == 1 ? '|' : BitConverter.IsLittleEndian ? '<' : '>')}{kind}{bytes}";

    // The framework's own structs (Guid, decimal, DateTime) hide what their bytes mean.
    private static List<object?>? Fields(Type type, int size)
    {
        if (type.StructLayoutAttribute is not { } layout || layout.Value == LayoutKind.Auto || SharedCode.IsShared(type.Assembly) || type.IsDefined(typeof(InlineArrayAttribute)))
        {
            return null;
        }

        var list = new List<object?>();
        var end = 0;
        var largest = 1;
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(field => field.MetadataToken))
        {
            if (field.IsDefined(typeof(FixedBufferAttribute)) || DescriptionOf(field.FieldType) is not { } description)
            {
                return null;
            }

            var bytes = SizeOf(field.FieldType);
            var alignment = AlignmentOf(field.FieldType);
            alignment = layout.Pack > 0 ? Math.Min(alignment, layout.Pack) : alignment;
            largest = Math.Max(largest, alignment);
            var offset = layout.Value == LayoutKind.Explicit ? field.GetCustomAttribute<FieldOffsetAttribute>()!.Value : (end + alignment - 1) / alignment * alignment;
            if (offset < end)
            {
                // Fields on top of each other.
                return null;
            }

            Pad(offset - end);
            list.Add(new object?[] { NameOf(field), description });
            end = offset + bytes;
        }

        if (list.Count == 0 || end > size)
        {
            return null;
        }

        Pad(size - end);
        return list;

        void Pad(int count)
        {
            if (count > 0)
            {
                list.Add(new object?[] { "", $"|V{count}" });
            }
        }
    }

    private static string NameOf(FieldInfo field) =>
        field.Name.StartsWith('<') && field.Name.IndexOf('>', StringComparison.Ordinal) is > 1 and var end ? field.Name[1..end] : field.Name;

    private static object? DescriptionOf(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type == typeof(nint) || type == typeof(nuint))
        {
            return null;
        }

        var under = type.IsEnum ? type.GetEnumUnderlyingType() : type;
        return Simple.TryGetValue(under, out var simple) ? Text(simple.Kind, simple.Bytes)
            : type == typeof(System.Numerics.Complex) ? Text('c', 16)
            : Fields(type, SizeOf(type));
    }

    private static int AlignmentOf(Type type)
    {
        var under = type.IsEnum ? type.GetEnumUnderlyingType() : type;
        if (Simple.TryGetValue(under, out var simple))
        {
            return simple.Bytes;
        }

        var largest = 1;
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            largest = Math.Max(largest, AlignmentOf(field.FieldType));
        }

        return type.StructLayoutAttribute is { Pack: > 0 and var pack } ? Math.Min(largest, pack) : largest;
    }

    private static bool HoldsReferences(Type type) =>
        (bool)typeof(RuntimeHelpers).GetMethod(nameof(RuntimeHelpers.IsReferenceOrContainsReferences))!.MakeGenericMethod(type).Invoke(null, null)! || HoldsAddresses(type);

    private static bool HoldsAddresses(Type type) => !type.IsPrimitive && !type.IsEnum && type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
        .Any(field => field.FieldType.IsPointer || field.FieldType.IsFunctionPointer || field.FieldType == typeof(nint) || field.FieldType == typeof(nuint) || HoldsAddresses(field.FieldType));

    private static T[] NewPinnedVectorCore<T>(int length) => GC.AllocateUninitializedArray<T>(length, pinned: true);

    private static T[] NewVectorCore<T>(int length) => GC.AllocateUninitializedArray<T>(length);

    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;
}
