namespace Orleans.Joblib;

/// <summary>Stands for an exception of a remote call that could not itself come back: it holds something that cannot travel, or its type is not known here.</summary>
public sealed class RemoteCallException : JoblibException
{
    /// <summary>An error without words.</summary>
    public RemoteCallException()
    {
    }

    /// <summary>An error with the remote exception's words.</summary>
    /// <param name="message">What happened.</param>
    public RemoteCallException(string message)
        : base(message)
    {
    }

    /// <summary>An error with the remote exception's words and its cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">The cause.</param>
    public RemoteCallException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    internal RemoteCallException(string typeName, string message, string? stackTrace, Exception? innerException)
        : base("remote-call", $"{typeName}: {message}", innerException)
    {
        TypeName = typeName;
        RemoteStackTrace = stackTrace;
    }

    /// <summary>The full name of the exception's type where it was thrown.</summary>
    public string TypeName { get; } = "";

    /// <summary>The stack where it was thrown, as text; null when it was never thrown.</summary>
    public string? RemoteStackTrace { get; }
}
