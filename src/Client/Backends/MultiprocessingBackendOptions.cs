namespace Orleans.Joblib;

/// <summary>Settings of the backend <c>"multiprocessing"</c>, given as <c>backendOptions</c>.</summary>
public sealed record MultiprocessingBackendOptions : ProcessBackendOptions
{
    /// <summary>Batches that a worker executes before another takes its place; 1 or more. Default: null, no end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    /// <remarks>joblib: <c>maxtasksperchild</c>, whose tasks are batches too.</remarks>
    public int? MaxTasksPerChild
    {
        get;
        init => field = value is null or >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"MaxTasksPerChild must not be '{value}'. Use 1 or more batches, or null for no end.");
    }
}
