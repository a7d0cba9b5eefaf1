using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Tests;

public sealed class InlineConformanceTests : ParallelConformance
{
    private const string BackendName = "tests-inline";

    protected override BackendTraits Traits { get; } = new(BackendName) { RunsCallsAtOnce = false, SupportsSharedMemory = false };

    [ModuleInitializer]
    internal static void Register() => Joblib.RegisterParallelBackend(BackendName, () => new InlineBackend());
}
