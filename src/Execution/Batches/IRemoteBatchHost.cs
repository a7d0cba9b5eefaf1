namespace Orleans.Joblib;

/// <summary>Whoever has a worker execute a batch that came from another process.</summary>
internal interface IRemoteBatchHost : IWorkSharer
{
    /// <summary>A call of this part overran its timeout: give up its worker and let another take its place.</summary>
    void Abandon(CallBatch part);

    /// <summary>The batch has ended; its outcome is for the other process.</summary>
    void Ended(OutcomeStatus status, byte[] payload);
}
