namespace Orleans.Joblib;

/// <summary>Turns looks at a cluster into reports, and remembers how far runs had come. One look at a time.</summary>
/// <param name="cluster">The cluster's name, for those who read.</param>
internal sealed class ClusterReporter(string cluster)
{
    // A run is not seen while its coordinator's silo does not answer.
    private static readonly TimeSpan PacesKept = TimeSpan.FromMinutes(1);

    private readonly Dictionary<Guid, (RunPace Pace, DateTimeOffset SeenAt)> _paces = [];

    internal ClusterReport Report(ClusterView view, Func<RunInfo, bool> wanted)
    {
        var runs = view.Runs.Where(wanted).ToArray();
        var report = new ClusterReport(
            cluster,
            view.Time,
            view.Slots,
            view.Busy,
            view.Queued,
            [.. view.Silos.Select(SiloReportLine.Of)],
            [.. runs.Select(run => RunReportLine.Of(run, view.ClockOf(run), PaceOf(run.Run, view.Time)))]);
        foreach (var (gone, _) in _paces.Where(pace => view.Time - pace.Value.SeenAt > PacesKept).ToList())
        {
            _paces.Remove(gone);
        }

        return report;
    }

    private RunPace PaceOf(Guid run, DateTimeOffset now)
    {
        var pace = _paces.TryGetValue(run, out var known) ? known.Pace : new RunPace();
        _paces[run] = (pace, now);
        return pace;
    }
}
