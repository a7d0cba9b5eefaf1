namespace Orleans.Joblib;

/// <summary>What makes two configured backends interchangeable.</summary>
internal sealed record BackendKey(BackendChoice Choice, int NestingLevel, BackendSettings Settings);
