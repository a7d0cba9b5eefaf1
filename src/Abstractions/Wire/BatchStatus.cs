namespace Orleans.Joblib;

/// <summary>What a slot says of a batch that it was given.</summary>
public enum BatchStatus
{
    /// <summary>The batch is with the silo's workers and, being of this process, tells its run itself when it has ended.</summary>
    Accepted = 0,

    /// <summary>The run had ended at this silo: nothing was executed.</summary>
    RunEnded = 1,

    /// <summary>The slot's silo is in another process than the batch: nothing was executed.</summary>
    NotInThisProcess = 2,

    /// <summary>The silo is draining before it stops: nothing was executed, send the batch to another slot.</summary>
    Draining = 3,
}
