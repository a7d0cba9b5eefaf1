namespace Orleans.Joblib;

/// <summary>The client's end of a run: silos of other processes bring outcomes here.</summary>
[Alias("Orleans.Joblib.IRunObserver")]
public interface IRunObserver : IGrainObserver
{
    /// <summary>Batches have ended. Returns when the client has them; what was not acknowledged is sent again, and the client ignores what it has.</summary>
    [Alias("BatchesEnded")]
    [ResponseTimeout("00:00:05")]
    Task BatchesEndedAsync(BatchOutcome[] outcomes);
}
