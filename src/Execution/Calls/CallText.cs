using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Orleans.Joblib;

/// <summary>A call as a person would write it, for error messages: <c>Math.Sqrt(-1)</c>, <c>lambda in Program.Main(i = 3)</c>.</summary>
internal static class CallText
{
    private const int MaxArgumentLength = 80;

    internal static string Of(object? call) => call switch
    {
        null => "null",
        Delegate function => Of(function, null),
        ICallDescription described => Of(described.Function, described.Arguments),
        _ => call.GetType().Name,
    };

    internal static string Of(Delegate function, ITuple? arguments)
    {
        var text = new StringBuilder(FunctionName(function.Method)).Append('(');
        var separator = "";
        if (arguments is not null)
        {
            for (var i = 0; i < arguments.Length; i++)
            {
                text.Append(separator).Append(Argument(arguments[i]));
                separator = ", ";
            }
        }
        else
        {
            AppendCaptures(text, function.Target, ref separator);
        }

        return text.Append(')').ToString();
    }

    private static string FunctionName(MethodInfo method)
    {
        var type = method.DeclaringType;
        while (type is not null && type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && type.DeclaringType is not null)
        {
            type = type.DeclaringType;
        }

        // The compiler names a lambda <Outer>b__0 and a local function <Outer>g__Name|0, and a program's top level <Main>$: say what the user wrote.
        var name = method.Name;
        var mark = name.LastIndexOf(">b__", StringComparison.Ordinal);
        if (mark > 0)
        {
            return $"lambda in {type?.Name}.{name[1..mark].Trim('<', '>', '$')}";
        }

        mark = name.LastIndexOf(">g__", StringComparison.Ordinal);
        var bar = name.LastIndexOf('|');
        return mark > 0 && bar > mark ? $"{type?.Name}.{name[(mark + 4)..bar]}" : $"{type?.Name}.{name}";
    }

    private static void AppendCaptures(StringBuilder text, object? target, ref string separator)
    {
        if (target is null || !target.GetType().IsDefined(typeof(CompilerGeneratedAttribute), inherit: false))
        {
            return;
        }

        foreach (var field in target.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.Name.StartsWith("CS$<>", StringComparison.Ordinal))
            {
                AppendCaptures(text, field.GetValue(target), ref separator);
            }
            else if (!field.Name.Contains('<', StringComparison.Ordinal))
            {
                text.Append(separator).Append(field.Name).Append(" = ").Append(Argument(field.GetValue(target)));
                separator = ", ";
            }
        }
    }

    private static string Argument(object? value)
    {
        string? text;
        try
        {
            text = value switch
            {
                null => "null",
                string s => $"'{s}'",
                Array array => $"{array.GetType().GetElementType()!.Name}[{array.Length}]",
                IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
                _ => value.ToString(),
            };
        }
        catch (Exception exception)
        {
            // The user's ToString is the user's code: a message about one failure must not become another.
            text = $"{value!.GetType().Name} (its ToString threw {exception.GetType().Name})";
        }

        // A ToString may return null, whatever its type says.
        text ??= "";
        return text.Length <= MaxArgumentLength ? text : string.Concat(text.AsSpan(0, MaxArgumentLength), "…");
    }
}
