namespace Orleans.Joblib;

/// <summary>What a slot says of the batches that it was given.</summary>
public enum BatchStatus
{
    /// <summary>The batches are with the silo's workers.</summary>
    Accepted = 0,

    /// <summary>The run had ended at this silo: those not yet accepted are not executed.</summary>
    RunEnded = 1,

    /// <summary>The slot's silo is in another process than the batches: nothing was executed.</summary>
    NotInThisProcess = 2,

    /// <summary>The silo is draining before it stops: nothing was executed, send the batches to other slots.</summary>
    Draining = 3,

    /// <summary>The silo does not have the batches' code set: those not yet accepted are not executed.</summary>
    CodeMissing = 4,

    /// <summary>The silo does not have the batches' large arrays, or does not know how they travel: those not yet accepted are not executed.</summary>
    ArraysMissing = 5,
}
