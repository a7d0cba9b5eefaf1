namespace Orleans.Joblib;

/// <summary>Turns looks at a cluster into reports, and remembers how far runs had come. One look at a time.</summary>
/// <param name="cluster">The cluster's name, for those who read.</param>
internal sealed class ClusterReporter(string cluster)
{
    private readonly Dictionary<Guid, RunPace> _paces = [];

    internal ClusterReport Report(ClusterView view, Func<RunInfo, bool> wanted)
    {
        var runs = view.Runs.Where(wanted).ToArray();
        foreach (var gone in _paces.Keys.Except(runs.Select(run => run.Run)).ToList())
        {
            _paces.Remove(gone);
        }

        return new ClusterReport(
            cluster,
            view.Time,
            view.Slots,
            view.Busy,
            view.Queued,
            [.. view.Silos.Select(SiloReportLine.Of)],
            [.. runs.Select(run => RunReportLine.Of(run, ClockOf(view, run), PaceOf(run.Run)))]);
    }

    // A run's times are its coordinator's, whose clock may not agree with this one.
    private static DateTimeOffset ClockOf(ClusterView view, RunInfo run) =>
        view.Silos.FirstOrDefault(silo => silo.View?.Runs.Any(known => ReferenceEquals(known, run)) == true)?.View!.Time ?? view.Time;

    private RunPace PaceOf(Guid run) => _paces.TryGetValue(run, out var pace) ? pace : _paces[run] = new RunPace();
}
