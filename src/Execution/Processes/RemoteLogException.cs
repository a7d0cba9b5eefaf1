namespace Orleans.Joblib;

/// <summary>An exception that was logged in a worker process: as text.</summary>
internal sealed class RemoteLogException(string text) : Exception(text)
{
    /// <summary>The exception as the worker saw it, stack included.</summary>
    public override string ToString() => Message;
}
