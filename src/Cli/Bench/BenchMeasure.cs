namespace Orleans.Joblib.Cli;

/// <summary>A figure and what to hold it against.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The figure.</param>
/// <param name="Unit">Its unit: s, calls/s or bytes/s.</param>
/// <param name="Expected">The least, or for a time the most, of a cluster that is well.</param>
/// <param name="Ok">Whether it is.</param>
/// <param name="Samples">Of how many calls.</param>
/// <param name="Advice">What it depends on, and where to look when it is not what was expected.</param>
internal sealed record BenchMeasure(string Name, double Value, string Unit, double Expected, bool Ok, long Samples, string Advice);
