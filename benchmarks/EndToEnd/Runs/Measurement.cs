namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>What one run gave.</summary>
/// <param name="Value">In the workload's unit.</param>
internal sealed record Measurement(double Value)
{
    /// <summary>Further numbers; a line shows the median over its runs.</summary>
    internal IReadOnlyDictionary<string, double> Details { get; init; } = new Dictionary<string, double>();

    /// <summary>Numbers that a good run does not excuse; a line shows the largest, warm-ups included.</summary>
    internal IReadOnlyDictionary<string, double> Worst { get; init; } = new Dictionary<string, double>();
}
