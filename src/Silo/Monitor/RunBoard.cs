namespace Orleans.Joblib.Silo;

/// <summary>The runs whose coordinators are on this silo: open ones, and those that ended last. Thread-safe.</summary>
internal sealed class RunBoard(TimeProvider time)
{
    private const int EndedKept = 100;

    private readonly Lock _gate = new();
    private readonly HashSet<Guid> _open = [];
    private readonly List<(RunInfo Run, long SeenAt)> _ended = [];

    internal void Opened(Guid run)
    {
        lock (_gate)
        {
            _open.Add(run);

            // Its coordinator is back.
            _ended.RemoveAll(ended => ended.Run.Run == run);
        }
    }

    /// <summary>The run has ended, or its coordinator has gone elsewhere.</summary>
    internal void Left(Guid run, RunInfo? last)
    {
        lock (_gate)
        {
            _open.Remove(run);
            if (last is null)
            {
                return;
            }

            _ended.Add((last, time.GetTimestamp()));
            if (_ended.Count > EndedKept)
            {
                _ended.RemoveAt(0);
            }
        }
    }

    internal Guid[] Open
    {
        get
        {
            lock (_gate)
            {
                return [.. _open];
            }
        }
    }

    /// <summary>Runs that ended after a moment of <see cref="TaskStream.Now"/>, the oldest first, as far back as is kept.</summary>
    internal RunInfo[] EndedSince(long since)
    {
        lock (_gate)
        {
            return [.. _ended.Where(ended => ended.SeenAt > since).Select(ended => ended.Run)];
        }
    }
}
