namespace Orleans.Joblib;

/// <summary>A run's large arrays on the side of a process that executes its calls: those that it has mapped, and those of the results that it sends. Thread-safe.</summary>
internal sealed class WorkerArrays(ArraySettings settings) : IDisposable
{
    private readonly StoreSource _source = new(settings);

    /// <summary>Where the large arrays of calls are found. What was found is kept for the calls to come, within a bound, and after that as long as calls refer to it.</summary>
    internal IArraySource Source => _source;

    /// <summary>Where the large arrays of a batch's results go; null when all of them go into the payload.</summary>
    internal ResultArrays? NewResults() => settings.MaxBytes is { } bytes ? new ResultArrays(settings, bytes) : null;

    /// <summary>Lets go of what no call under way refers to.</summary>
    internal void Forget() => _source.Forget();

    /// <summary>Whether calls have mapped arrays.</summary>
    internal bool HasMapped => _source.HasMapped;

    /// <summary>The run has ended.</summary>
    public void Dispose() => _source.Dispose();
}
