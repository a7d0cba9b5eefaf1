namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Order statistics of samples in any order.</summary>
internal static class Statistics
{
    internal static double Median(IReadOnlyList<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>The smallest sample that a fraction of all does not exceed.</summary>
    internal static double Percentile(IReadOnlyList<double> samples, double fraction)
    {
        double[] sorted = [.. samples.Order()];
        return sorted[Math.Clamp((int)Math.Ceiling(fraction * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
