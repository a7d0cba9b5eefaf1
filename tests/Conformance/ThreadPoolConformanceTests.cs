using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Tests;

public sealed class ThreadPoolConformanceTests : ParallelConformance
{
    private const string BackendName = "tests-thread-pool";

    protected override BackendTraits Traits { get; } = new(BackendName);

    [ModuleInitializer]
    internal static void Register() => Joblib.RegisterParallelBackend(BackendName, () => new ThreadPoolBackend());
}
