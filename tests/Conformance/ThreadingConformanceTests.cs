namespace Orleans.Joblib.Tests;

public sealed class ThreadingConformanceTests : ParallelConformance
{
    protected override BackendTraits Traits { get; } = new("threading") { SupportsTimeout = true };
}
