namespace Orleans.Joblib.Cli;

/// <summary>What a check found.</summary>
/// <param name="Check">The check.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Message">What was found.</param>
/// <param name="Remedy">What to do; null where nothing is to be done.</param>
internal sealed record Finding(string Check, FindingStatus Status, string Message, string? Remedy = null)
{
    internal static Finding Ok(string check, string message) => new(check, FindingStatus.Ok, message);

    internal static Finding Warning(string check, string message, string remedy) => new(check, FindingStatus.Warning, message, remedy);

    internal static Finding Fault(string check, string message, string remedy) => new(check, FindingStatus.Fault, message, remedy);

    /// <summary>An error of ours says what happened and what to do in one.</summary>
    internal static Finding Fault(string check, JoblibException exception) => new(check, FindingStatus.Fault, exception.Message, exception.HelpLink is { } page ? "See " + page + "." : null);
}
