namespace Orleans.Joblib;

/// <summary>Whoever has a worker execute a batch that came from another process.</summary>
internal interface IRemoteBatchHost : IWorkSharer
{
    /// <summary>A call of this part overran its timeout: give up its worker and let another take its place.</summary>
    void Abandon(CallBatch part);

    /// <summary>Where the batch finds its large arrays; null for files of the user's own alone.</summary>
    IArraySource? Arrays => null;

    /// <summary>Where the large arrays of its results go; into its outcome when null.</summary>
    IArraySink? ResultArrays => null;

    /// <summary>The batch has ended; its outcome is for the other process.</summary>
    void Ended(OutcomeStatus status, byte[] payload);
}
