namespace Orleans.Joblib;

/// <summary>Reads what a run attached to an exception.</summary>
public static class CallFailureExtensions
{
    /// <summary>Which call of a run threw this exception, with its index, arguments and remote stack.</summary>
    /// <param name="exception">An exception that came out of a run.</param>
    /// <returns>The failed call, or null when the exception did not come from a call.</returns>
    public static CallFailure? GetCallFailure(this Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return CallFailure.Of(exception);
    }
}
