namespace Orleans.Joblib;

/// <summary>A cluster at one moment.</summary>
/// <param name="Time">The moment, by this process's clock.</param>
/// <param name="Silos">Its silos.</param>
/// <param name="Runs">Open runs, and those that ended lately.</param>
internal sealed record ClusterView(DateTimeOffset Time, IReadOnlyList<SiloReport> Silos, IReadOnlyList<RunInfo> Runs)
{
    /// <summary>Workers of silos that take work.</summary>
    internal int Slots => Sum(static slots => slots.Size);

    /// <summary>Workers that execute a batch.</summary>
    internal int Busy => Sum(static slots => slots.Busy);

    /// <summary>Batches that wait for a worker.</summary>
    internal int Queued => Sum(static slots => slots.Queued);

    /// <summary>The moment by the clock of a run's coordinator, which its times are told by.</summary>
    internal DateTimeOffset ClockOf(RunInfo run) => Silos.FirstOrDefault(silo => silo.View?.Runs.Any(known => ReferenceEquals(known, run)) == true)?.View!.Time ?? Time;

    private int Sum(Func<SiloSlots, int> count) => Silos.Sum(silo => silo.View is { } view ? count(view.Slots) : 0);
}
