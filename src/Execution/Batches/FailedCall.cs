namespace Orleans.Joblib;

/// <summary>The call that ended a batch.</summary>
internal sealed record FailedCall(Exception Exception, CallFailure Failure);
