namespace Orleans.Joblib;

/// <summary>A batch, or several that followed each other closely, on a worker of a silo.</summary>
/// <param name="Silo">The silo.</param>
/// <param name="StartedAt">By the clock of the process that looks.</param>
/// <param name="Trace">The rest.</param>
internal readonly record struct SiloBatch(string Silo, DateTimeOffset StartedAt, BatchTrace Trace)
{
    /// <summary>How long it took, or has taken so far.</summary>
    internal TimeSpan Duration => Trace.Duration ?? Trace.StartedAgo;

    internal DateTimeOffset EndedAt => StartedAt + Duration;

    internal static List<SiloBatch> EndedIn(ClusterView view) => Of(view, static silo => silo.Ended);

    internal static List<SiloBatch> RunningIn(ClusterView view) => Of(view, static silo => silo.Running);

    private static List<SiloBatch> Of(ClusterView view, Func<SiloView, BatchTrace[]> which) =>
        [.. from silo in view.Silos where silo.View is not null let id = silo.Address.ToParsableString() from trace in which(silo.View!) select new SiloBatch(id, silo.Time - trace.StartedAgo, trace)];
}
