namespace Orleans.Joblib;

/// <summary>A step of the automatic batch size.</summary>
/// <param name="BatchSize">The new size, in calls.</param>
/// <param name="Duration">The smoothed time of a batch of the old size.</param>
/// <param name="TooFast">Whether batches were too short (the size grew) rather than too long.</param>
public sealed record BatchSizeChange(int BatchSize, TimeSpan Duration, bool TooFast);
