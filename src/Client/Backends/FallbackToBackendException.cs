namespace Orleans.Joblib;

/// <summary>Thrown by <see cref="ParallelBackend.ConfigureAsync"/> to hand a run to another backend. Never reaches the user. joblib 1.6: <c>FallbackToBackend</c>.</summary>
/// <param name="backend">The backend to use instead.</param>
public sealed class FallbackToBackendException(ParallelBackend backend) : Exception($"Fall back to {backend?.Name}.")
{
    /// <summary>The backend to use instead.</summary>
    public ParallelBackend Backend { get; } = backend ?? throw new ArgumentNullException(nameof(backend));
}
