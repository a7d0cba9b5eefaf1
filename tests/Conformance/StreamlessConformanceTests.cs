using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Tests;

public sealed class StreamlessConformanceTests : ParallelConformance
{
    private const string BackendName = "tests-streamless";

    protected override BackendTraits Traits { get; } = new(BackendName) { SupportsStreams = false };

    [ModuleInitializer]
    internal static void Register() => Joblib.RegisterParallelBackend(BackendName, () => new StreamlessBackend());
}
