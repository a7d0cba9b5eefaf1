namespace Orleans.Joblib;

/// <summary>The run that a batch reports to.</summary>
internal interface IBatchOwner
{
    /// <summary>Called once per batch, from any thread.</summary>
    /// <param name="batch">The batch that ended.</param>
    /// <param name="fault">The backend's own failure; null when the batch was executed, whatever its calls did.</param>
    void BatchEnded(CallBatch batch, Exception? fault);

    /// <summary>Called after each call when <see cref="RunScope.ReportsCalls"/>.</summary>
    void CallEnded(bool failed);
}
