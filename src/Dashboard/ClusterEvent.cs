namespace Orleans.Joblib;

/// <summary>Something that happened to a silo.</summary>
/// <param name="Time">When it was seen.</param>
/// <param name="Silo">The silo.</param>
/// <param name="What">"joined", "left", "drains", "does not answer", "is up".</param>
internal readonly record struct ClusterEvent(DateTimeOffset Time, string Silo, string What);
