using System.Globalization;
using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Comparers that every process has its own of.</summary>
internal static class Comparers
{
    private const byte Ordinal = 0;
    private const byte OrdinalIgnoreCase = 1;
    private const byte Culture = 2;

    /// <summary>The default comparer that is of this type, with the type that one asks for it.</summary>
    internal static (Type Type, object Value)? DefaultOf(Type type)
    {
        for (var part = type; part is not null; part = part.BaseType)
        {
            if (part.IsGenericType && part.GetGenericTypeDefinition() is var open && (open == typeof(EqualityComparer<>) || open == typeof(Comparer<>)))
            {
                var value = part.GetProperty("Default", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
                return value.GetType() == type || part == type ? (part, value) : null;
            }
        }

        return null;
    }

    internal static void WriteString(GraphWriter writer, object comparer)
    {
        if (comparer is not IEqualityComparer<string?> strings)
        {
            throw new RefusedException(comparer.GetType(), "compares strings in a way that has no name", comparer);
        }

        if (StringComparer.IsWellKnownOrdinalComparer(strings, out var ignoresCase))
        {
            writer.WriteByte(ignoresCase ? OrdinalIgnoreCase : Ordinal);
        }
        else if (StringComparer.IsWellKnownCultureAwareComparer(strings, out var compareInfo, out var options))
        {
            writer.WriteByte(Culture);
            writer.WriteString(compareInfo.Name);
            writer.WriteVarInt((int)options);
        }
        else
        {
            throw new RefusedException(comparer.GetType(), "compares strings in a way that has no name", comparer);
        }
    }

    internal static object ReadString(GraphReader reader)
    {
        return reader.ReadByte() switch
        {
            Ordinal => StringComparer.Ordinal,
            OrdinalIgnoreCase => StringComparer.OrdinalIgnoreCase,
            Culture => StringComparer.Create(CultureInfo.GetCultureInfo(reader.ReadString()), (CompareOptions)reader.ReadVarInt()),
            _ => throw PayloadReader.Malformed("an unknown comparer"),
        };
    }
}
