namespace Orleans.Joblib;

/// <summary>Counts calls that end in a cluster, from look to look. A run is not seen while its coordinator's silo does not answer: its calls count for the time since it was seen last.</summary>
internal sealed class CallCounter
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(5);

    private readonly Dictionary<Guid, (long Calls, DateTimeOffset SeenAt)> _runs = [];
    private DateTimeOffset? _last;

    /// <summary>Takes in a look.</summary>
    /// <returns>Calls that ended in a second, since the look before.</returns>
    internal double Rate(ClusterView view)
    {
        var rate = 0.0;
        foreach (var run in view.Runs)
        {
            if (_runs.TryGetValue(run.Run, out var before))
            {
                rate += Rate(run.CompletedCalls - before.Calls, view.Time - before.SeenAt);
            }
            else if (_last is { } last && view.ClockOf(run) - run.StartedAt is var age && age <= view.Time - last)
            {
                rate += Rate(run.CompletedCalls, view.Time - last);
            }

            _runs[run.Run] = (run.CompletedCalls, view.Time);
        }

        foreach (var (gone, _) in _runs.Where(run => view.Time - run.Value.SeenAt > Kept).ToList())
        {
            _runs.Remove(gone);
        }

        _last = view.Time;
        return rate;
    }

    // A coordinator that moved may know of fewer calls than its forerunner.
    private static double Rate(long calls, TimeSpan time) => calls > 0 && time > TimeSpan.Zero ? calls / time.TotalSeconds : 0;
}
