namespace Orleans.Joblib;

/// <summary>How busy a cluster is at one moment.</summary>
/// <param name="Time">When.</param>
/// <param name="Slots">Workers.</param>
/// <param name="Busy">Workers that execute a batch.</param>
/// <param name="Queued">Batches that wait for a worker.</param>
/// <param name="CallsPerSecond">Calls that ended since the look before.</param>
internal readonly record struct LoadSample(DateTimeOffset Time, int Slots, int Busy, int Queued, double CallsPerSecond)
{
    internal static LoadSample Of(ClusterView view, ClusterView? last)
    {
        var before = last?.Runs.ToDictionary(run => run.Run, run => run.CompletedCalls);
        var calls = before is null ? 0 : view.Runs.Sum(run => Math.Max(run.CompletedCalls - before.GetValueOrDefault(run.Run), 0));
        var seconds = last is null ? 0 : (view.Time - last.Time).TotalSeconds;
        return new LoadSample(view.Time, view.Slots, view.Busy, view.Queued, seconds > 0 ? calls / seconds : 0);
    }
}
