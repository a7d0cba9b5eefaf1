namespace Orleans.Joblib;

/// <summary>A few bytes about a batch that ended, from its silo to the coordinator.</summary>
/// <param name="Number">The batch's number within its run.</param>
/// <param name="Calls">Its calls.</param>
/// <param name="Failed">Whether one of them failed.</param>
/// <param name="Duration">From the batch's arrival at the silo to its end: queueing included, the network not.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.BatchReport")]
public readonly record struct BatchReport(
    [property: Id(0)] long Number,
    [property: Id(1)] int Calls,
    [property: Id(2)] bool Failed,
    [property: Id(3)] TimeSpan Duration);
