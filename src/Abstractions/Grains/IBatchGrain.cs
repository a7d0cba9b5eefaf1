namespace Orleans.Joblib;

/// <summary>One slot of one run: takes batches and has its silo's worker pool execute them. Its key is a <see cref="SlotKey"/>, which also places it.</summary>
[Alias("Orleans.Joblib.IBatchGrain")]
public interface IBatchGrain : IGrainWithStringKey
{
    /// <summary>Hands batches to the silo's workers and answers at once; each batch brings its own outcome.</summary>
    [Alias("Execute")]
    ValueTask<BatchAnswer> ExecuteAsync(BatchRequest request);

    /// <summary>Gives up the worker that executes a batch and lets another take its place.</summary>
    [Alias("Abandon")]
    ValueTask AbandonAsync(long handle);
}
