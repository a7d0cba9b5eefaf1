namespace Orleans.Joblib.Silo;

/// <summary>A drain that is asked for from outside. Thread-safe.</summary>
internal sealed class SiloDrain(SiloWorkers workers)
{
    // A host that nobody stops goes on executing what its calls take.
    private static readonly TimeSpan LongestDrain = TimeSpan.FromDays(1);

    private volatile Action? _stop;
    private int _started;

    /// <summary>Makes it the program's own business: what a drain asks for from now on is its stop, which drains first.</summary>
    internal void StopWith(Action stop) => _stop = stop;

    /// <summary>Starts it, where it has not begun.</summary>
    /// <returns>Whether the program stops then.</returns>
    internal bool Start()
    {
        if (_stop is { } stop)
        {
            stop();
            return true;
        }

        if (Interlocked.Exchange(ref _started, 1) == 0)
        {
            _ = Task.Run(() => workers.DrainAsync(LongestDrain));
        }

        return false;
    }
}
