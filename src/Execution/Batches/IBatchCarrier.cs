namespace Orleans.Joblib;

/// <summary>Whoever brought a batch to a silo of this process: told directly, without a message, what becomes of it.</summary>
internal interface IBatchCarrier
{
    /// <summary>The batch has ended; called once, just before its run hears of it.</summary>
    void Ended(CallBatch batch);

    /// <summary>The silo dropped the batch before any of its calls was made.</summary>
    void Dropped(CallBatch batch);

    /// <summary>The silo gave the batch back, as it was asked to, before any of its calls was made.</summary>
    void GivenBack(CallBatch batch);
}
