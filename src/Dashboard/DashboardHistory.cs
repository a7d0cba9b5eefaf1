namespace Orleans.Joblib;

/// <summary>The last minutes of a cluster, for pages that open now. Used under the feed's lock.</summary>
internal sealed class DashboardHistory(string cluster, string? grainsPath)
{
    private const int MostBatches = 20_000;
    private const int MostEvents = 200;
    private static readonly TimeSpan BatchesKept = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LoadKept = TimeSpan.FromMinutes(5);

    private readonly Queue<SiloBatch> _batches = new();
    private readonly Queue<LoadSample> _load = new();
    private readonly Queue<ClusterEvent> _events = new();
    private readonly CallCounter _calls = new();
    private readonly ClusterReporter _reporter = new(cluster);
    private Dictionary<string, string> _silos = [];
    private ClusterView? _last;
    private ClusterReport? _lastReport;

    /// <summary>Takes in a look.</summary>
    /// <returns>The frame for open pages.</returns>
    internal byte[] Take(ClusterView view)
    {
        var batches = SiloBatch.EndedIn(view);
        var load = new LoadSample(view.Time, view.Slots, view.Busy, view.Queued, _calls.Rate(view));
        var events = EventsOf(view);
        batches.ForEach(_batches.Enqueue);
        events.ForEach(_events.Enqueue);
        _load.Enqueue(load);
        while (_batches.Count > MostBatches || (_batches.TryPeek(out var batch) && view.Time - batch.EndedAt > BatchesKept))
        {
            _batches.Dequeue();
        }

        while (_load.TryPeek(out var oldest) && view.Time - oldest.Time > LoadKept)
        {
            _load.Dequeue();
        }

        while (_events.Count > MostEvents)
        {
            _events.Dequeue();
        }

        var report = _reporter.Report(view, static _ => true);
        var runs = RunChanges.Between(_lastReport?.Runs ?? [], report.Runs);
        (_last, _lastReport) = (view, report);
        return DashboardFrame.Of(batches, [load], events, view, report, runs);
    }

    /// <summary>All that is kept, for a page that opens.</summary>
    internal byte[] FirstFrame() => DashboardFrame.First(
        cluster, grainsPath, [.. _batches], [.. _load], [.. _events], _last, _lastReport, RunChanges.Between([], _lastReport?.Runs ?? []));

    private List<ClusterEvent> EventsOf(ClusterView view)
    {
        var events = new List<ClusterEvent>();
        var silos = view.Silos.ToDictionary(
            silo => silo.Address.ToParsableString(), silo => silo.View is null ? "does not answer" : silo.View.Slots.Draining ? "drains" : "is up", StringComparer.Ordinal);
        if (_last is not null)
        {
            foreach (var (silo, state) in silos)
            {
                if (!_silos.TryGetValue(silo, out var before))
                {
                    events.Add(new ClusterEvent(view.Time, silo, "joined"));
                }
                else if (before != state)
                {
                    events.Add(new ClusterEvent(view.Time, silo, state));
                }
            }

            events.AddRange(_silos.Keys.Except(silos.Keys).Select(silo => new ClusterEvent(view.Time, silo, "left")));
        }

        _silos = silos;
        return events;
    }
}
