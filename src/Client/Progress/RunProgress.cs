namespace Orleans.Joblib;

/// <summary>How far a run has come; reported once per call that ends, for calls of other processes when their batch's outcome has come.</summary>
/// <param name="Completed">Calls that ended, failed ones included.</param>
/// <param name="Failed">Calls that threw or overran their timeout.</param>
/// <param name="Dispatched">Calls taken from the sequence and handed to the backend.</param>
/// <param name="Total">Calls in all; null until the sequence's length is known, at its end at the latest.</param>
/// <param name="Elapsed">Time since the run's start.</param>
public readonly record struct RunProgress(long Completed, long Failed, long Dispatched, long? Total, TimeSpan Elapsed);
