namespace Orleans.Joblib;

/// <summary>What a slot says of the batches that it was given.</summary>
public enum BatchStatus
{
    /// <summary>The batches are with the silo's workers and, being of this process, tell their run themselves when they have ended.</summary>
    Accepted = 0,

    /// <summary>The run had ended at this silo: those not yet accepted are not executed.</summary>
    RunEnded = 1,

    /// <summary>The slot's silo is in another process than the batches: nothing was executed.</summary>
    NotInThisProcess = 2,

    /// <summary>The silo is draining before it stops: nothing was executed, send the batch to another slot.</summary>
    Draining = 3,
}
