namespace Orleans.Joblib.Silo;

/// <summary>The runs whose coordinators are on this silo: open ones, and those that ended last. Thread-safe.</summary>
internal sealed class RunBoard
{
    private const int EndedKept = 100;

    private readonly Lock _gate = new();
    private readonly HashSet<Guid> _open = [];
    private readonly Queue<RunInfo> _ended = new();

    internal void Opened(Guid run)
    {
        lock (_gate)
        {
            _open.Add(run);
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

            _ended.Enqueue(last);
            if (_ended.Count > EndedKept)
            {
                _ended.Dequeue();
            }
        }
    }

    internal (Guid[] Open, RunInfo[] Ended) Look()
    {
        lock (_gate)
        {
            return ([.. _open], [.. _ended]);
        }
    }
}
