using System.Globalization;

namespace Orleans.Joblib;

/// <summary>The type of an array's elements as numpy describes it: its text in the header, and the numbers that an element consists of.</summary>
/// <param name="Text">The value of <c>descr</c>, in numpy's syntax.</param>
/// <param name="Bytes">The size of an element; at least 1.</param>
/// <param name="Leaves">In order of offset.</param>
internal sealed record NpyType(string Text, int Bytes, IReadOnlyList<NpyLeaf> Leaves)
{
    private const int MaxLeaves = 4096;

    /// <summary>Whether an element is a record of named fields, or of numbers that C# has no type for.</summary>
    internal bool IsSwapped => Leaves.Any(leaf => leaf.IsSwapped);

    /// <summary>Reads a type from its value in a header: a string, or a list of fields.</summary>
    /// <exception cref="JoblibException">There is no such type, or C# has nothing for it.</exception>
    internal static NpyType Read(object? value)
    {
        var leaves = new List<NpyLeaf>();
        var bytes = Read(value, 0, 0, leaves);
        return bytes is > 0 and <= int.MaxValue
            ? new NpyType(PythonLiteral.Write(value), (int)bytes, leaves)
            : throw NpyHeader.Bad($"its elements have '{bytes}' bytes");
    }

    private static long Read(object? value, long offset, int depth, List<NpyLeaf> leaves)
    {
        if (depth > 16 || leaves.Count > MaxLeaves || offset > int.MaxValue)
        {
            throw NpyHeader.Bad("its elements are records of too many fields");
        }

        if (value is string text)
        {
            return Simple(text, (int)offset, leaves);
        }

        if (value is not List<object?> fields || fields.Count == 0)
        {
            throw NpyHeader.Bad($"'descr' is '{PythonLiteral.Write(value)}'");
        }

        long size = 0;
        foreach (var field in fields)
        {
            if (field is not object?[] { Length: 2 or 3 } parts || !IsName(parts[0]))
            {
                throw NpyHeader.Bad($"'descr' has the field '{PythonLiteral.Write(field)}'");
            }

            long count = 1;
            if (parts.Length == 3)
            {
                foreach (var length in parts[2] as object?[] ?? [parts[2]])
                {
                    count = length is long number and >= 0 and <= MaxLeaves && count <= MaxLeaves ? count * number : throw NpyHeader.Bad("a field of its records is an array of no shape");
                }
            }

            for (; count > 0; count--)
            {
                size += parts[1] is string { Length: > 1 } padding && parts[0] is "" && padding.AsSpan().TrimStart("|<>=")[0] == 'V'
                    ? Number(padding.AsSpan().TrimStart("|<>=")[1..], padding)
                    : Read(parts[1], offset + size, depth + 1, leaves);
            }
        }

        return size;
    }

    private static bool IsName(object? name) => name is string or object?[] { Length: 2 };

    private static long Simple(string text, int offset, List<NpyLeaf> leaves)
    {
        var rest = text.AsSpan();
        var isSwapped = false;
        if (rest.Length > 0 && "<>|=".Contains(rest[0], StringComparison.Ordinal))
        {
            isSwapped = rest[0] == (BitConverter.IsLittleEndian ? '>' : '<');
            rest = rest[1..];
        }

        if (rest.Length == 0)
        {
            throw NpyHeader.Bad($"'descr' is '{text}'");
        }

        switch (rest[0])
        {
            case 'O':
                throw new JoblibException(
                    "array-objects", "An array of Python objects (dtype 'object') is a pickle inside, which only Python reads. Convert it there: array.astype(float), or save the columns apart.");

            case 'S' or 'a' or 'U':
                throw new JoblibException(
                    "array-elements", $"An array of strings (dtype '{text}') has no C# type. In Python save its bytes, array.view('{(rest[0] == 'U' ? "u4" : "u1")}'), or a list of strings as text.");
        }

        var kind = rest[0];
        var digits = rest[1..];
        if (kind is 'M' or 'm')
        {
            // datetime64[ns] and the like: a count of the unit, since 1970 or as a duration. Not-a-time is the least number.
            var bracket = digits.IndexOf('[');
            digits = bracket < 0 ? digits : digits[..bracket];
            kind = 'i';
        }

        var bytes = Number(digits, text);
        switch (kind, bytes)
        {
            case ('b', 1) or ('i' or 'u', 1 or 2 or 4 or 8) or ('f', 2 or 4 or 8):
                leaves.Add(new NpyLeaf(offset, kind, (int)bytes, isSwapped && bytes > 1));
                return bytes;

            case ('c', 8 or 16):
                var half = (int)bytes / 2;
                leaves.Add(new NpyLeaf(offset, 'f', half, isSwapped));
                leaves.Add(new NpyLeaf(offset + half, 'f', half, isSwapped));
                return bytes;

            case ('V', > 0 and <= int.MaxValue):
                leaves.Add(new NpyLeaf(offset, 'V', (int)bytes, false));
                return bytes;

            case ('f' or 'c', _):
                throw new JoblibException("array-elements", $"Numbers of dtype '{text}' have no C# type. In Python: array.astype('{kind}{(kind == 'f' ? 8 : 16)}').");

            default:
                throw NpyHeader.Bad($"'descr' is '{text}'");
        }
    }

    private static long Number(ReadOnlySpan<char> digits, string text) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= int.MaxValue ? number : throw NpyHeader.Bad($"'descr' is '{text}'");
}
