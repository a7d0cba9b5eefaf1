namespace Orleans.Joblib;

/// <summary>What is the same for overdue calls of every type.</summary>
internal static class OverdueCall
{
    /// <summary>How often calls with a timeout are looked at.</summary>
    internal static TimeSpan WatchPeriod(TimeSpan timeout) => TimeSpan.FromMilliseconds(Math.Clamp(timeout.TotalMilliseconds / 8, 1, 250));
}
