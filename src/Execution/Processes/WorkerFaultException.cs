namespace Orleans.Joblib;

/// <summary>Worker processes could not do their part, and the message says all there is to say: a run passes it on as it is.</summary>
internal sealed class WorkerFaultException(string heading, string message, Exception? innerException = null) : JoblibException(heading, message, innerException);
