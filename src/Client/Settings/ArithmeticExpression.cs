using System.Globalization;

namespace Orleans.Joblib;

/// <summary>joblib's little arithmetic for <c>pre_dispatch</c>: numbers, <c>+ - * / // % **</c>, unary minus and parentheses, with Python's meaning.</summary>
/// <remarks>joblib 1.6, <c>_utils.eval_expr</c>: at most 30 characters once n_jobs is filled in, no value beyond ±1,000,000.</remarks>
internal ref struct ArithmeticExpression
{
    private const int MaxLength = 30;
    private const double MaxValue = 1_000_000;
    private readonly string _text;
    private int _at;

    private ArithmeticExpression(string text) => _text = text;

    internal static double Evaluate(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new ArgumentException($"The expression '{text[..MaxLength]}…' has {text.Length} characters. Use at most {MaxLength}.");
        }

        var expression = new ArithmeticExpression(text);
        var value = expression.Sum();
        expression.SkipSpace();
        return expression._at == text.Length ? value : throw expression.Malformed();
    }

    private double Sum()
    {
        var value = Product();
        while (true)
        {
            if (Accept("+"))
            {
                value = Bounded(value + Product());
            }
            else if (Accept("-"))
            {
                value = Bounded(value - Product());
            }
            else
            {
                return value;
            }
        }
    }

    private double Product()
    {
        var value = Signed();
        while (true)
        {
            if (!Follows("**") && Accept("//"))
            {
                value = Bounded(Divide(value, Divisor()).Quotient);
            }
            else if (!Follows("**") && Accept("*"))
            {
                value = Bounded(value * Signed());
            }
            else if (Accept("/"))
            {
                value = Bounded(value / Divisor());
            }
            else if (Accept("%"))
            {
                value = Bounded(Divide(value, Divisor()).Remainder);
            }
            else
            {
                return value;
            }
        }
    }

    // Python's divmod: the exact remainder decides the quotient, so 1//0.1 is 9 although 1/0.1 rounds to 10.
    private static (double Quotient, double Remainder) Divide(double value, double divisor)
    {
        var remainder = value % divisor;
        var quotient = (value - remainder) / divisor;
        if (remainder != 0 && divisor < 0 != remainder < 0)
        {
            remainder += divisor;
            quotient--;
        }

        return (Math.Round(quotient), remainder);
    }

    private double Divisor()
    {
        var divisor = Signed();
        return divisor == 0 ? throw new ArgumentException($"'{_text}' divides by zero.") : divisor;
    }

    // As in Python, ** binds tighter than a minus on its left and looser than one on its right: -2**2 is -4, 2**-1 is 0.5.
    private double Signed() => Accept("-") ? -Signed() : Power();

    private double Power()
    {
        var value = Atom();
        return Accept("**") ? Bounded(Math.Pow(value, Signed())) : value;
    }

    private double Atom()
    {
        if (Accept("("))
        {
            var value = Sum();
            return Accept(")") ? value : throw Malformed();
        }

        SkipSpace();
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiDigit(_text[_at]) || _text[_at] == '.'))
        {
            _at++;
        }

        SkipExponent();
        const NumberStyles Number = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(_text.AsSpan(start, _at - start), Number, CultureInfo.InvariantCulture, out var number)
            ? Bounded(number)
            : throw Malformed();
    }

    // 1e3, 2.5E-1: the letter belongs to the number only with digits behind it.
    private void SkipExponent()
    {
        if (_at == _text.Length || _text[_at] is not ('e' or 'E'))
        {
            return;
        }

        var at = _at + 1;
        if (at < _text.Length && _text[at] is ('+' or '-'))
        {
            at++;
        }

        if (at < _text.Length && char.IsAsciiDigit(_text[at]))
        {
            while (at < _text.Length && char.IsAsciiDigit(_text[at]))
            {
                at++;
            }

            _at = at;
        }
    }

    private readonly double Bounded(double value) => Math.Abs(value) <= MaxValue
        ? value
        : throw new ArgumentException($"A value in '{_text}' is beyond ±{MaxValue:N0}.");

    private bool Accept(string symbol)
    {
        if (!Follows(symbol))
        {
            return false;
        }

        _at += symbol.Length;
        return true;
    }

    private bool Follows(string symbol)
    {
        SkipSpace();
        return _text.AsSpan(_at).StartsWith(symbol, StringComparison.Ordinal);
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && _text[_at] == ' ')
        {
            _at++;
        }
    }

    private readonly ArgumentException Malformed() =>
        new($"'{_text}' is not an arithmetic expression. Use numbers, 'n_jobs', + - * / // % ** and parentheses.");
}
