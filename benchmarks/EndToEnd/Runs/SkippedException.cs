namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A side cannot be measured on this machine; its line says why.</summary>
internal sealed class SkippedException(string reason) : Exception(reason);
