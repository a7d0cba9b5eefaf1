using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>The words of a refusal's path. Works by reflection, after the fact: encoding itself keeps no path.</summary>
internal static class GraphPath
{
    private const int MostElementsLookedAt = 100_000;

    /// <summary>The steps from an object to one that it holds; a value inside structs has several.</summary>
    internal static string[] Between(object holder, object? child, Type? childType)
    {
        switch (holder)
        {
            case Delegate:
                return [];

            case Array array when child is not null:
                var index = 0;
                foreach (var element in array)
                {
                    if (ReferenceEquals(element, child) || (element is ValueType && FieldSteps(element, child, childType) is not null))
                    {
                        return [$"element [{index}]", .. element is ValueType && !ReferenceEquals(element, child) ? FieldSteps(element, child, childType)! : []];
                    }

                    index++;
                }

                break;

            case IDictionary map when child is not null && SharedCode.IsShared(holder.GetType().Assembly):
                foreach (DictionaryEntry entry in map)
                {
                    if (ReferenceEquals(entry.Value, child))
                    {
                        return [$"value of '{Text(entry.Key)}'"];
                    }

                    if (ReferenceEquals(entry.Key, child))
                    {
                        return ["key"];
                    }
                }

                break;

            case ICollection list when child is not null && SharedCode.IsShared(holder.GetType().Assembly):
                var place = 0;
                foreach (var element in list)
                {
                    if (ReferenceEquals(element, child))
                    {
                        return [$"element [{place}]"];
                    }

                    if (++place > MostElementsLookedAt)
                    {
                        break;
                    }
                }

                break;
        }

        return FieldSteps(holder, child, childType) ?? [];
    }

    /// <summary>A field as the user knows it.</summary>
    internal static string NameOf(FieldInfo field)
    {
        var name = field.Name;
        if (name.EndsWith("__this", StringComparison.Ordinal))
        {
            return "'this'";
        }

        if (name.StartsWith("CS$<>", StringComparison.Ordinal))
        {
            return "";
        }

        if (IsClosure(field.DeclaringType!))
        {
            return $"captured '{name}'";
        }

        var end = name.IndexOf(">k__BackingField", StringComparison.Ordinal);
        if (end > 0)
        {
            return $"property '{name[1..end]}'";
        }

        end = name.IndexOf('>', StringComparison.Ordinal);
        return name.Length > 1 && name[0] == '<' && end > 1 ? $"captured '{name[1..end]}'" : $"field '{name}'";
    }

    internal static string NameOf(Type type)
    {
        if (type.IsArray)
        {
            return $"{NameOf(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        }

        if (!type.IsGenericType)
        {
            return type.Name;
        }

        var mark = type.Name.IndexOf('`', StringComparison.Ordinal);
        return $"{(mark < 0 ? type.Name : type.Name[..mark])}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>";
    }

    /// <summary>Whether the C# compiler made the class to hold captured variables.</summary>
    internal static bool IsClosure(Type type) =>
        type is { IsClass: true, IsNested: true } && type.Name.StartsWith("<>c", StringComparison.Ordinal) && type.BaseType == typeof(object)
        && type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    private static string[]? FieldSteps(object holder, object? child, Type? childType, int depth = 0)
    {
        foreach (var field in FieldPlan.FieldsOf(holder.GetType(), typeof(object)))
        {
            if (field.FieldType.IsPointer)
            {
                continue;
            }

            var value = field.GetValue(holder);
            if (value is null)
            {
                continue;
            }

            if (field.FieldType.IsValueType)
            {
                if (value.GetType() == childType && (child is null || child.Equals(value)))
                {
                    return [NameOf(field)];
                }

                if (depth < 8 && !field.FieldType.IsPrimitive && FieldSteps(value, child, childType, depth + 1) is { } steps)
                {
                    return [NameOf(field), .. steps];
                }
            }
            else if (child is not null && ReferenceEquals(value, child))
            {
                return [NameOf(field)];
            }
        }

        return null;
    }

    private static string Text(object key) => key is string or IFormattable ? key.ToString() ?? "" : key.GetType().Name;
}
