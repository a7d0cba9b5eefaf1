namespace Orleans.Joblib;

/// <summary>A run's large arrays on the side of its caller: those of its calls, which stay in the store until this is disposed, and those of its results. Thread-safe.</summary>
/// <remarks>The store is opened, and its folder made, by the first large array: a run without any costs nothing.</remarks>
internal sealed class RunArrays : IDisposable
{
    private readonly Lock _gate = new();
    private StoreSink? _sink;
    private bool _isDisposed;

    internal RunArrays(ArraySettings settings)
    {
        ArrayStores.Expect(settings);
        Settings = settings;
        Results = new ResultSource(settings);
    }

    internal ArraySettings Settings { get; }

    /// <summary>Where large arrays in results are found: each is taken once, and its place in the store freed.</summary>
    internal ResultSource Results { get; }

    /// <summary>Where the large arrays of a batch go; null when all of them go into its payload.</summary>
    internal BatchArrays? NewBatch() => Settings.MaxBytes is { } bytes ? new BatchArrays(this, bytes) : null;

    internal ArrayReference? Put(ArrayView array, bool isWritable, out HeldSegment? held) => Sink().Put(array, isWritable, out held);

    /// <summary>The segments of the run's calls may be freed. No batch may be under way.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _sink?.Dispose();
        }
    }

    private StoreSink Sink()
    {
        if (Volatile.Read(ref _sink) is { } known)
        {
            return known;
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _sink ??= new StoreSink(ArrayStores.Of(Settings), Settings.MaxBytes!.Value, Settings.Mode);
        }
    }
}
