namespace Orleans.Joblib;

/// <summary>The run that a batch reports to.</summary>
internal interface IBatchOwner
{
    /// <summary>Called from any thread: once when all calls of a batch have ended, or for each part of it that failed or was not executed.</summary>
    /// <param name="batch">The batch that was dispatched.</param>
    /// <param name="fault">The backend's own failure; null when the batch was executed, whatever its calls did.</param>
    void BatchEnded(CallBatch batch, Exception? fault);

    /// <summary>Called after each call when <see cref="RunScope.ReportsCalls"/>.</summary>
    void CallEnded(bool failed);
}
