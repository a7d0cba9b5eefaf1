namespace Orleans.Joblib;

/// <summary>A call that overran its timeout.</summary>
/// <param name="Part">The batch, or part of one, that was abandoned because of it.</param>
/// <param name="Index">The call's place in the user's sequence.</param>
/// <param name="Call">The call as text.</param>
/// <param name="Offset">The call's place in its root's arrays.</param>
internal sealed record OverdueCall<T>(CallBatch<T> Part, long Index, string Call, int Offset)
{
    /// <summary>The failure that the call ends with.</summary>
    internal (TimeoutException Exception, CallFailure Failure) Describe(TimeSpan timeout)
    {
        var exception = new TimeoutException($"Call {Index}, {Call}, has run longer than its timeout of '{timeout}'. Raise 'timeout', or let the call watch its token.");
        return (exception, CallFailure.Describe(exception, Index, Call, Part.Worker));
    }
}
