using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>What every batch of one run shares while it executes: the caller's context, the run's token, and whether calls are watched one by one.</summary>
// The token source is never disposed: it has no timer, and a call that outlives its run may still look at its token.
#pragma warning disable CA1001
internal sealed class RunScope
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _ending = new();
    private volatile bool _ended;

    internal required ExecutionContext Context { get; init; }

    /// <summary>The run's deadline for one call, counted from the call's own start; null for none.</summary>
    internal required TimeSpan? Timeout { get; init; }

    /// <summary>Whether the owner wants to hear of every call, not of every batch.</summary>
    internal required bool ReportsCalls { get; init; }

    /// <summary>The level of loops inside the calls; for calls that leave this process, whose context does not come along.</summary>
    internal int NestingLevel { get; init; }

    /// <summary>The activity that batches of this run are children of.</summary>
    internal ActivityContext Activity { get; init; }

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    internal CancellationToken Ending => _ending.Token;

    /// <summary>Checked between calls: cheaper than the token, and true a moment before it.</summary>
    internal bool Ended => _ended;

    /// <summary>Calls that have not started will not start; those that took the token are told.</summary>
    internal void End()
    {
        _ended = true;
        Cancel(_ending);
    }

    /// <summary>
    /// Cancels a token that user code has. The token says so when this returns; its callbacks, which are the user's and may block or throw, have the thread pool:
    /// whoever ends a call or a run goes on.
    /// </summary>
    internal static void Cancel(CancellationTokenSource source) =>
        source.CancelAsync().ContinueWith(
            static cancelling => _ = cancelling.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
}
