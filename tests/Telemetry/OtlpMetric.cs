namespace Orleans.Joblib.Tests.Telemetry;

/// <summary>A metric as a collector gets it.</summary>
internal sealed record OtlpMetric(string Service, string Name, string Unit);
