namespace Orleans.Joblib;

/// <summary>A call, or a result, holds something that means nothing in another process: a stream, a socket, a thread, a handle.</summary>
/// <remarks>Thrown before anything of the batch is sent. What travels and what does not: docs/travel.md.</remarks>
public sealed class CannotTravelException : JoblibException
{
    /// <summary>An error without words; prefer one that says what to do.</summary>
    public CannotTravelException()
    {
    }

    /// <summary>An error that says what cannot travel and what to do.</summary>
    /// <param name="message">What happened, then the remedy.</param>
    public CannotTravelException(string message)
        : base(message)
    {
    }

    /// <summary>An error that says what cannot travel and what to do, with its cause.</summary>
    /// <param name="message">What happened, then the remedy.</param>
    /// <param name="innerException">The cause.</param>
    public CannotTravelException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    internal CannotTravelException(string path, string message, Exception? innerException)
        : base("cannot-travel", message, innerException) => Path = path;

    /// <summary>The way from the call or result to what cannot travel: <c>captured 'log' → field 'writer' → StreamWriter</c>.</summary>
    public string Path { get; } = "";
}
