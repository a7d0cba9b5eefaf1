namespace Orleans.Joblib;

/// <summary>The client's end of a run: silos of other processes bring outcomes here.</summary>
[Alias("Orleans.Joblib.IRunObserver")]
public interface IRunObserver : IGrainObserver
{
    /// <summary>Batches have ended. Returns when the client has them; what was not acknowledged is sent again, and the client ignores what it has.</summary>
    [Alias("BatchesEnded")]
    [ResponseTimeout("00:00:05")]
    Task BatchesEndedAsync(BatchOutcome[] outcomes);

    /// <summary>The run was cancelled from outside: its loop is to fail.</summary>
    /// <param name="reason">Who cancelled it, and why.</param>
    [Alias("Cancelled")]
    [ResponseTimeout("00:00:05")]
    Task CancelledAsync(string reason);
}
