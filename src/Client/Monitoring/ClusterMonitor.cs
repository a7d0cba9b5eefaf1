using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>Looks at a cluster, for people: its silos, runs and batches. One look at a time; it costs the cluster nothing between two looks.</summary>
internal sealed class ClusterMonitor(IGrainFactory grains)
{
    // As many as a silo keeps.
    private const int EndedKept = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Dictionary<SiloAddress, SiloView> _last = [];

    /// <summary>The cluster as it is now; batches that ended since the look before.</summary>
    /// <exception cref="JoblibException">It does not answer.</exception>
    internal async Task<ClusterView> LookAsync(CancellationToken cancellationToken)
    {
        Dictionary<SiloAddress, SiloStatus> hosts;
        try
        {
            hosts = await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true, cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw ClusterRun.NotReached(exception, Patience);
        }

        var silos = await Task.WhenAll(hosts.Keys.Select(silo => LookAsync(silo, cancellationToken))).ConfigureAwait(false);
        foreach (var gone in _last.Keys.Except(hosts.Keys).ToList())
        {
            _last.Remove(gone);
        }

        foreach (var silo in silos.Where(silo => silo.View is not null))
        {
            _last[silo.Address] = silo.View!;
        }

        // A run whose coordinator moved is on two boards: the one that has it open knows it best.
        var runs = silos.SelectMany(silo => silo.View?.Runs ?? []).GroupBy(run => run.Run).Select(same => same.MinBy(run => (run.State, -run.CompletedCalls))!);
        return new ClusterView(DateTimeOffset.UtcNow, [.. silos.OrderBy(silo => silo.Address)], [.. runs.OrderBy(run => run.StartedAt)]);
    }

    /// <summary>Cancels a run: its client's loop fails with the reason.</summary>
    /// <returns>False when it was not open any more.</returns>
    /// <exception cref="JoblibException">The cluster does not answer.</exception>
    internal async Task<bool> CancelAsync(Guid run, string reason, CancellationToken cancellationToken)
    {
        try
        {
            return await grains.GetGrain<ICoordinatorGrain>(run).CancelAsync(reason).WaitAsync(2 * Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw ClusterRun.NotReached(exception, 2 * Patience);
        }
    }

    private async Task<SiloReport> LookAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        try
        {
            var last = _last.GetValueOrDefault(silo);
            var view = await grains.GetGrain<IMonitorGrain>(SlotKey.ForMonitor(silo)).LookAsync(last?.Now ?? 0).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            var time = DateTimeOffset.UtcNow;
            return last is null ? new SiloReport(silo, time, view, null, null) : new SiloReport(silo, time, view with { Runs = RunsOf(last, view) }, CoresUsed(last, view), null);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return new SiloReport(silo, DateTimeOffset.UtcNow, null, null, exception.Message);
        }
    }

    // A silo tells of a run's end once.
    private static RunInfo[] RunsOf(SiloView last, SiloView now)
    {
        var ended = last.Runs.Where(run => run.EndedAt is not null).ExceptBy(now.Runs.Select(run => run.Run), run => run.Run);
        return [.. now.Runs.Where(run => run.EndedAt is null), .. ended.Concat(now.Runs.Where(run => run.EndedAt is not null)).TakeLast(EndedKept)];
    }

    private static double? CoresUsed(SiloView last, SiloView now) =>
        now.Time - last.Time is { Ticks: > 0 } passed ? Math.Max((now.ProcessorTime - last.ProcessorTime) / passed, 0) : null;
}
