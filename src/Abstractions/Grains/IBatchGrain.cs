namespace Orleans.Joblib;

/// <summary>One slot of one run: takes batches and has its silo's worker pool execute them. Its key is a <see cref="SlotKey"/>, which also places it.</summary>
[Alias("Orleans.Joblib.IBatchGrain")]
public interface IBatchGrain : IGrainWithStringKey
{
    /// <summary>Hands batches of the silo's own process to its workers and answers at once; each batch brings its own outcome.</summary>
    [Alias("Execute")]
    ValueTask<BatchAnswer> ExecuteAsync(BatchRequest request);

    /// <summary>
    /// Hands batches of another process to the silo's workers and answers at once, or within milliseconds with the outcome, if the request awaits it; other outcomes
    /// go to the run's <see cref="IRunObserver"/>.
    /// </summary>
    /// <remarks>A batch that the silo has in hand already is not executed again: a message whose answer was lost may be sent again.</remarks>
    [Alias("ExecuteRemote")]
    [ResponseTimeout("00:00:10")]
    ValueTask<BatchAnswer> ExecuteRemoteAsync(RemoteBatchRequest request);

    /// <summary>Gives up the worker that executes a batch and lets another take its place.</summary>
    [Alias("Abandon")]
    ValueTask AbandonAsync(long handle);
}
