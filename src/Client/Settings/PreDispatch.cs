using System.Globalization;

namespace Orleans.Joblib;

/// <summary>How many calls a run takes from its sequence before the first of them has ended: a number, an expression in <c>n_jobs</c>, or all.</summary>
/// <remarks>
/// Converts from <see cref="int"/> and from <see cref="string"/> (<c>"all"</c>, <c>"2*n_jobs"</c>, <c>"1.5 * n_jobs"</c>; <c>nJobs</c> is accepted too).
/// At least one call; the result of an expression is cut to a whole number. Default: <c>"2*n_jobs"</c>. joblib 1.6: <c>pre_dispatch</c>, counted in calls.
/// </remarks>
public readonly record struct PreDispatch
{
    private const string AllText = "all";
    private const string DefaultText = "2*n_jobs";
    private readonly int _calls;
    private readonly string? _expression;

    private PreDispatch(int calls, string? expression)
    {
        _calls = calls;
        _expression = expression;
    }

    /// <summary>Twice the jobs: <c>"2*n_jobs"</c>.</summary>
    public static PreDispatch Default => default;

    /// <summary>The whole sequence is taken before the first result is waited for; of a stream, as much as its bound on unconsumed results allows.</summary>
    public static PreDispatch All { get; } = new(0, AllText);

    /// <summary>Whether this is <see cref="All"/>.</summary>
    public bool IsAll => _expression == AllText;

    /// <summary>A number of calls, 1 or more.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public static implicit operator PreDispatch(int calls) => FromInt32(calls);

    /// <summary><c>"all"</c> or an expression in <c>n_jobs</c>.</summary>
    /// <exception cref="ArgumentException">Not an expression that joblib's grammar allows.</exception>
    public static implicit operator PreDispatch(string expression) => FromString(expression);

    /// <summary>A number of calls, 1 or more.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public static PreDispatch FromInt32(int calls) => calls >= 1
        ? new PreDispatch(calls, null)
        : throw new ArgumentOutOfRangeException(nameof(calls), calls, $"preDispatch must not be '{calls}': no call would ever be made. Use '1' or more, or 'all'.");

    /// <summary><c>"all"</c> or an expression in <c>n_jobs</c>.</summary>
    /// <exception cref="ArgumentException">Not an expression that joblib's grammar allows.</exception>
    public static PreDispatch FromString(string expression)
    {
        ArgumentNullException.ThrowIfNull(expression);
        if (expression == AllText)
        {
            return All;
        }

        // The grammar is checked now, the value when n_jobs is known.
        var made = new PreDispatch(0, expression);
        try
        {
            ArithmeticExpression.Evaluate(made.Filled(1));
        }
        catch (ArgumentException) when (IsWellFormed(made))
        {
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException($"preDispatch: {exception.Message}", nameof(expression), exception);
        }

        return made;
    }

    /// <summary>The number of calls for a number of jobs.</summary>
    /// <exception cref="ArgumentException">The expression gives less than 1, or divides by zero, for this number of jobs.</exception>
    internal long Calls(int nJobs)
    {
        if (IsAll)
        {
            return long.MaxValue;
        }

        if (_expression is null)
        {
            return _calls == 0 ? 2L * nJobs : _calls;
        }

        double value;
        try
        {
            value = ArithmeticExpression.Evaluate(Filled(nJobs));
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException($"preDispatch: {exception.Message}", exception);
        }

        return value >= 1
            ? (long)value
            : throw new ArgumentException(
                $"preDispatch '{_expression}' gives '{value.ToString(CultureInfo.InvariantCulture)}' for nJobs '{nJobs}': no call would ever be made. Let it give 1 or more.");
    }

    /// <inheritdoc/>
    public override string ToString() => _expression ?? (_calls == 0 ? DefaultText : _calls.ToString(CultureInfo.InvariantCulture));

    private string Filled(int nJobs) => _expression!
        .Replace("n_jobs", nJobs.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("nJobs", nJobs.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    // "6/(n_jobs-1)" is well formed and fails for one job only.
    private static bool IsWellFormed(PreDispatch made)
    {
        foreach (var nJobs in (ReadOnlySpan<int>)[2, 3, 4])
        {
            try
            {
                ArithmeticExpression.Evaluate(made.Filled(nJobs));
                return true;
            }
            catch (ArgumentException)
            {
            }
        }

        return false;
    }
}
