namespace Orleans.Joblib;

/// <summary>Orleans.Joblib itself could not do its part: a cluster that does not answer, workers that are gone, a backend that failed.</summary>
/// <remarks>Never thrown for what a user's call throws (that exception arrives as it is) nor for a bad argument (a BCL exception).</remarks>
[GenerateSerializer]
[Alias("Orleans.Joblib.JoblibException")]
public class JoblibException : Exception
{
    private const string Page = "docs/errors.md#";

    // Orleans carries an exception's message and stack to the caller, not its link.
    [Id(0)]
    private string? _helpLink;

    /// <summary>An error without words; prefer one that says what to do.</summary>
    public JoblibException()
    {
    }

    /// <summary>An error that says what happened and what to do.</summary>
    /// <param name="message">What happened, values in single quotes, then the remedy.</param>
    public JoblibException(string message)
        : base(message)
    {
    }

    /// <summary>An error that says what happened and what to do, with its cause.</summary>
    /// <param name="message">What happened, values in single quotes, then the remedy.</param>
    /// <param name="innerException">The cause.</param>
    public JoblibException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>An error with its heading in docs/errors.md.</summary>
    internal JoblibException(string heading, string message, Exception? innerException = null)
        : base(message, innerException) => _helpLink = Page + heading;

    /// <summary>The heading in docs/errors.md that says more, when there is one.</summary>
    public override string? HelpLink
    {
        get => _helpLink;
        set => _helpLink = value;
    }
}
