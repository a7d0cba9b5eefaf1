namespace Orleans.Joblib;

/// <summary>One batch on one worker of a silo.</summary>
/// <param name="Worker">The worker's number on its silo, from 0.</param>
/// <param name="Run">The run.</param>
/// <param name="Number">The batch's number within the run.</param>
/// <param name="Calls">Its calls.</param>
/// <param name="StartedAgo">How long before the look it started.</param>
/// <param name="Duration">How long it took; null while it executes.</param>
/// <param name="Failed">Whether a call of it failed.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.BatchTrace")]
public readonly record struct BatchTrace(
    [property: Id(0)] int Worker,
    [property: Id(1)] Guid Run,
    [property: Id(2)] long Number,
    [property: Id(3)] int Calls,
    [property: Id(4)] TimeSpan StartedAgo,
    [property: Id(5)] TimeSpan? Duration,
    [property: Id(6)] bool Failed);
