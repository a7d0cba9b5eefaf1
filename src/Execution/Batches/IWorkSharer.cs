namespace Orleans.Joblib;

/// <summary>Where a worker gives away calls of a batch that turned out long while other workers have nothing to do.</summary>
internal interface IWorkSharer
{
    /// <summary>Whether a worker is idle and nothing is queued for it. Cheap; may be stale.</summary>
    bool WantsWork { get; }

    /// <summary>Hands a part of a batch to another worker.</summary>
    void Share(CallBatch part);
}
