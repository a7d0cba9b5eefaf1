namespace Orleans.Joblib;

/// <summary>What became of a batch at its slot.</summary>
public enum BatchStatus
{
    /// <summary>Its calls were made, or one of them failed; the batch holds the outcome.</summary>
    Executed = 0,

    /// <summary>The run had ended at this silo: nothing was executed.</summary>
    RunEnded = 1,

    /// <summary>The slot's silo is in another process than the batch: nothing was executed.</summary>
    NotInThisProcess = 2,

    /// <summary>The worker was given up because a call overran its timeout; what it still does is ignored.</summary>
    Abandoned = 3,
}
