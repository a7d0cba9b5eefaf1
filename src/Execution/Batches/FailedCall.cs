namespace Orleans.Joblib;

/// <summary>One call of a batch that threw.</summary>
internal sealed record FailedCall(int Offset, Exception Exception, CallFailure Failure);
