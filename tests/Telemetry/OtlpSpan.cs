namespace Orleans.Joblib.Tests.Telemetry;

/// <summary>A span as a collector gets it.</summary>
internal sealed record OtlpSpan(string Service, string Trace, string Id, string Parent, string Name, IReadOnlyDictionary<string, string> Attributes);
