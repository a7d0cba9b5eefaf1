namespace Orleans.Joblib;

/// <summary>How a batch ended in another process.</summary>
public enum OutcomeStatus
{
    /// <summary>All calls ended; the payload holds their results.</summary>
    Completed = 0,

    /// <summary>A call failed; the payload holds its failure.</summary>
    Failed = 1,

    /// <summary>The silo could not execute the batch; the payload holds the reason as an exception.</summary>
    Fault = 2,

    /// <summary>The silo gave the batch back before it made any of its calls.</summary>
    NotExecuted = 3,

    /// <summary>The worker process that executed the batch died; the payload says how, as an exception. Which call it was, and whether to try again, is the client's to find out.</summary>
    WorkerDied = 4,
}
