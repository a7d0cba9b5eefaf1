using System.Globalization;
using System.Text;

namespace Orleans.Joblib;

/// <summary>The part of Python's literals that <c>.npy</c> headers are written in: dictionaries, lists, tuples, strings, whole numbers, True, False and None.</summary>
internal ref struct PythonLiteral(ReadOnlySpan<char> text)
{
    private const int DeepestNesting = 32;

    private readonly ReadOnlySpan<char> _text = text;
    private int _at;
    private int _depth;

    /// <summary>Dictionaries as <see cref="Dictionary{TKey, TValue}"/> of strings, lists as <see cref="List{T}"/>, tuples as arrays, numbers as <see cref="long"/>.</summary>
    /// <exception cref="JoblibException">The text is something else.</exception>
    internal static object? Read(ReadOnlySpan<char> text)
    {
        var reader = new PythonLiteral(text);
        var value = reader.Value();
        reader.Space();
        return reader._at == text.Length ? value : throw reader.Bad();
    }

    internal static string Write(object? value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return text.ToString();
    }

    private static void Write(StringBuilder text, object? value)
    {
        switch (value)
        {
            case null:
                text.Append("None");
                break;

            case string word:
                text.Append('\'').Append(word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)).Append('\'');
                break;

            case bool truth:
                text.Append(truth ? "True" : "False");
                break;

            case object?[] tuple:
                Join(text.Append('('), tuple);
                text.Append(tuple.Length == 1 ? ",)" : ")");
                break;

            case List<object?> list:
                Join(text.Append('['), list);
                text.Append(']');
                break;

            case Dictionary<string, object?> table:
                text.Append('{');
                foreach (var (key, item) in table)
                {
                    Write(text, key);
                    Write(text.Append(": "), item);
                    text.Append(", ");
                }

                text.Append('}');
                break;

            default:
                text.Append(CultureInfo.InvariantCulture, $"{value}");
                break;
        }
    }

    private static void Join(StringBuilder text, IReadOnlyList<object?> items)
    {
        for (var i = 0; i < items.Count; i++)
        {
            Write(i == 0 ? text : text.Append(", "), items[i]);
        }
    }

    private object? Value()
    {
        if (++_depth > DeepestNesting)
        {
            throw Bad();
        }

        Space();
        var first = _at < _text.Length ? _text[_at] : '\0';
        object? value = first switch
        {
            '{' => Table(),
            '[' => Items('[', ']', out _),
            '(' => Tuple(),
            '\'' or '"' => Word(),
            >= '0' and <= '9' => Number(),
            _ => Name(),
        };
        _depth--;
        return value;
    }

    private Dictionary<string, object?> Table()
    {
        var table = new Dictionary<string, object?>(StringComparer.Ordinal);
        _at++;
        while (!Take('}'))
        {
            Space();
            if (_at >= _text.Length || _text[_at] is not ('\'' or '"'))
            {
                throw Bad();
            }

            var key = Word();
            if (!Take(':') || !table.TryAdd(key, Value()))
            {
                throw Bad();
            }

            if (!Take(',') && !Next('}'))
            {
                throw Bad();
            }
        }

        return table;
    }

    private object? Tuple()
    {
        var items = Items('(', ')', out var hasComma);
        return items.Count == 1 && !hasComma ? items[0] : items.ToArray();
    }

    private List<object?> Items(char open, char close, out bool hasComma)
    {
        hasComma = false;
        var items = new List<object?>();
        _ = Take(open);
        while (!Take(close))
        {
            items.Add(Value());
            if (Take(','))
            {
                hasComma = true;
            }
            else if (!Next(close))
            {
                throw Bad();
            }
        }

        return items;
    }

    private string Word()
    {
        var quote = _text[_at++];
        var word = new StringBuilder();
        while (_at < _text.Length && _text[_at] != quote)
        {
            if (_text[_at] == '\\' && ++_at >= _text.Length)
            {
                break;
            }

            word.Append(_text[_at++]);
        }

        if (_at++ >= _text.Length)
        {
            _at = _text.Length;
            throw Bad();
        }

        return word.ToString();
    }

    private long Number()
    {
        var start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }

        var digits = _text[start.._at];
        if (_at < _text.Length && _text[_at] == 'L')
        {
            // Python 2 wrote long numbers so.
            _at++;
        }

        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Bad();
    }

    private object? Name()
    {
        foreach (var (word, value) in ((string, object?)[])[("True", true), ("False", false), ("None", null)])
        {
            if (_text[_at..].StartsWith(word, StringComparison.Ordinal))
            {
                _at += word.Length;
                return value;
            }
        }

        throw Bad();
    }

    private bool Take(char wanted)
    {
        if (!Next(wanted))
        {
            return false;
        }

        _at++;
        return true;
    }

    private bool Next(char wanted)
    {
        Space();
        return _at < _text.Length && _text[_at] == wanted;
    }

    private void Space()
    {
        while (_at < _text.Length && _text[_at] is (' ' or '\t' or '\n' or '\r' or '\f'))
        {
            _at++;
        }
    }

    private readonly JoblibException Bad() => NpyHeader.Bad($"its header cannot be read at character {_at}");
}
