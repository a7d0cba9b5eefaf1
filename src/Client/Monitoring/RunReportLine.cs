using System.Globalization;

namespace Orleans.Joblib;

/// <summary>A run, for people and as JSON.</summary>
/// <param name="Run">Its id: what 'cancel' takes, or a beginning of it.</param>
/// <param name="Name">What it runs.</param>
/// <param name="Client">The machine and process that opened it.</param>
/// <param name="State">Where it stands.</param>
/// <param name="StartedAt">By its coordinator's clock.</param>
/// <param name="EndedAt">By its coordinator's clock; null while it is open.</param>
/// <param name="ElapsedSeconds">From its start until now, or its end.</param>
/// <param name="Slots">Slots that it holds.</param>
/// <param name="CompletedCalls">Calls that ended, as its client says, or as silos reported while it has not said.</param>
/// <param name="DispatchedCalls">Calls that the client has sent, as it says; null while it has not said.</param>
/// <param name="TotalCalls">Calls in all; null until the client knows.</param>
/// <param name="FailedBatches">Batches in which a call failed.</param>
/// <param name="CallsPerSecond">At the first look and of a run that has ended, since its start; at later looks over the last ten seconds.</param>
/// <param name="RemainingSeconds">At that rate; null when it cannot be told.</param>
/// <param name="BatchCalls">The advised size of a batch.</param>
/// <param name="BatchSeconds">The smoothed time of a batch of that size; 0 until one has ended.</param>
/// <param name="Failure">The call that ended it; null while none has.</param>
internal sealed record RunReportLine(
    string Run,
    string Name,
    string Client,
    RunState State,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    double ElapsedSeconds,
    int Slots,
    long CompletedCalls,
    long? DispatchedCalls,
    long? TotalCalls,
    long FailedBatches,
    double CallsPerSecond,
    double? RemainingSeconds,
    int BatchCalls,
    double BatchSeconds,
    RunFailure? Failure)
{
    /// <param name="run">The run.</param>
    /// <param name="now">By its coordinator's clock.</param>
    /// <param name="pace">What is known of it from earlier looks.</param>
    internal static RunReportLine Of(RunInfo run, DateTimeOffset now, RunPace pace)
    {
        var elapsed = (run.EndedAt ?? now) - run.StartedAt;
        elapsed = elapsed > TimeSpan.Zero ? elapsed : TimeSpan.Zero;
        var completed = run.Progress is { } progress ? Math.Max(progress.Completed, 0) : run.CompletedCalls;
        pace.Take(new RunProgress(completed, run.FailedBatches, run.Progress?.Dispatched ?? completed, run.Progress?.Total, elapsed));
        return new RunReportLine(
            run.Run.ToString("N", CultureInfo.InvariantCulture),
            run.Name,
            run.Client,
            run.State,
            run.StartedAt,
            run.EndedAt,
            Math.Round(elapsed.TotalSeconds, 3),
            run.Slots,
            completed,
            run.Progress?.Dispatched,
            run.Progress?.Total,
            run.FailedBatches,
            Math.Round(run.EndedAt is null ? pace.CallsPerSecond : elapsed > TimeSpan.Zero ? completed / elapsed.TotalSeconds : 0, 3),
            run.State == RunState.Running && pace.Remaining is { } remaining ? Math.Round(remaining.TotalSeconds, 1) : null,
            run.BatchSize,
            Math.Round(run.BatchDuration.TotalSeconds, 6),
            run.Progress?.Failure);
    }
}
