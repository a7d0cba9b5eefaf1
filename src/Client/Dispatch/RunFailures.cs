namespace Orleans.Joblib;

/// <summary>A run's failure as text, for people who look at the cluster.</summary>
internal static class RunFailures
{
    private const int MostCharacters = 4096;

    internal static RunFailure? Of(Exception? exception)
    {
        if (exception is null)
        {
            return null;
        }

        var text = Cut($"{exception.GetType().FullName}: {ExceptionParts.MessageOf(exception)}");
        return exception.GetCallFailure() is { } failure
            ? new RunFailure(text, failure.CallIndex, failure.Call, failure.StackTrace is { } stack ? Cut(stack) : null, failure.Worker)
            : new RunFailure(text);
    }

    private static string Cut(string text) => text.Length <= MostCharacters ? text : string.Concat(text.AsSpan(0, MostCharacters), "…");
}
