namespace Orleans.Joblib;

/// <summary>A worker process, or a silo, died with the same calls again and again: the run gives up and names them.</summary>
/// <remarks>joblib: <c>TerminatedWorkerError</c>.</remarks>
[GenerateSerializer]
[Alias("Orleans.Joblib.TerminatedWorkerException")]
public sealed class TerminatedWorkerException : JoblibException
{
    /// <summary>Without a message.</summary>
    public TerminatedWorkerException()
    {
    }

    /// <summary>With a message.</summary>
    /// <param name="message">What died, with which calls.</param>
    public TerminatedWorkerException(string message)
        : this(message, null)
    {
    }

    /// <summary>With a message and its cause.</summary>
    /// <param name="message">What died, with which calls.</param>
    /// <param name="innerException">The cause.</param>
    public TerminatedWorkerException(string message, Exception? innerException)
        : base("terminated-worker", message, innerException)
    {
    }
}
