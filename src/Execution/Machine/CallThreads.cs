namespace Orleans.Joblib;

/// <summary>The threads that one worker's calls may use and have started through <see cref="CallTaskScheduler"/>. Known wherever the context of a call flows.</summary>
internal sealed class CallThreads(int cap)
{
    private static readonly AsyncLocal<CallThreads?> Ambient = new();

    private int _started;

    /// <summary>Those of the surrounding call; null outside of calls that have a cap.</summary>
    internal static CallThreads? Current => Ambient.Value;

    /// <summary>Threads that the calls may use, the worker's own included.</summary>
    internal int Cap => cap;

    /// <summary>The asking thread's own, which counts among those in use, and the free ones.</summary>
    internal int Available => Math.Max(1, cap - Volatile.Read(ref _started));

    internal void Started() => Interlocked.Increment(ref _started);

    internal void Ended() => Interlocked.Decrement(ref _started);

    /// <summary>A context as another, in which these are <see cref="Current"/>.</summary>
    internal ExecutionContext In(ExecutionContext context)
    {
        ExecutionContext? made = null;
        ExecutionContext.Run(
            context,
            _ =>
            {
                Ambient.Value = this;
                made = ExecutionContext.Capture();
            },
            null);
        return made!;
    }
}
