namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>What one call found.</summary>
/// <param name="Accuracy">The share of test rows that were labelled right, 0 to 1.</param>
/// <param name="Duration">Fitting and scoring, on the worker.</param>
internal readonly record struct Score(double Accuracy, TimeSpan Duration);
