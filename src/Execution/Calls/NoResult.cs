namespace Orleans.Joblib;

/// <summary>The result of a call that returns nothing: <c>Run</c> gives one per call, so that counting, streaming and outcomes work as for any other call.</summary>
/// <remarks>joblib gives a list of <c>None</c>.</remarks>
public readonly record struct NoResult;
