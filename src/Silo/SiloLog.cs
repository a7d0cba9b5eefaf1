using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>What a silo says in logs.</summary>
internal static partial class SiloLog
{
    [LoggerMessage(101, LogLevel.Debug, "{Slots} slots granted to run {Run}.")]
    internal static partial void SlotsGranted(ILogger logger, int slots, Guid run);

    [LoggerMessage(102, LogLevel.Debug, "{Slots} slots of run {Run} released.")]
    internal static partial void SlotsReleased(ILogger logger, int slots, Guid run);

    [LoggerMessage(103, LogLevel.Warning, "The lease of run {Run} ended after {Lease} without renewal: its batches are dropped.")]
    internal static partial void LeaseExpired(ILogger logger, Guid run, TimeSpan lease);

    [LoggerMessage(104, LogLevel.Debug, "{Reports} batch reports did not reach their coordinator.")]
    internal static partial void ReportLost(ILogger logger, Exception exception, int reports);

    [LoggerMessage(105, LogLevel.Information, "Run {Run} of {Client} opened with {Slots} slots on {Silos} silos.")]
    internal static partial void RunOpened(ILogger logger, Guid run, string client, int slots, int silos);

    [LoggerMessage(106, LogLevel.Information, "Run {Run} ended: {Calls} calls in {Batches} batches.")]
    internal static partial void RunEnded(ILogger logger, Guid run, long calls, long batches);

    [LoggerMessage(107, LogLevel.Warning, "Silo {Silo} did not answer about run {Run}.")]
    internal static partial void SiloDidNotAnswer(ILogger logger, Exception exception, string silo, Guid run);

    [LoggerMessage(108, LogLevel.Information, "Draining: {Running} batches are being executed, {Queued} are handed back; waiting up to {Timeout}.")]
    internal static partial void Draining(ILogger logger, int running, int queued, TimeSpan timeout);

    [LoggerMessage(109, LogLevel.Warning, "{Running} batches had not ended {Timeout} after the drain began: they are given up.")]
    internal static partial void DrainTimedOut(ILogger logger, int running, TimeSpan timeout);

    [LoggerMessage(110, LogLevel.Warning, "A connection was refused. {Reason}")]
    internal static partial void TlsRefused(ILogger logger, string reason);

    [LoggerMessage(111, LogLevel.Warning, "The client did not take {Outcomes} outcomes; trying again until its lease ends.")]
    internal static partial void OutcomesNotTaken(ILogger logger, Exception exception, int outcomes);

    [LoggerMessage(112, LogLevel.Warning, "Run {Run} is cancelled: {Reason}")]
    internal static partial void RunCancelled(ILogger logger, Guid run, string reason);

    [LoggerMessage(113, LogLevel.Warning, "The client of run {Run} could not be told that it was cancelled.")]
    internal static partial void ClientNotTold(ILogger logger, Exception exception, Guid run);

    [LoggerMessage(114, LogLevel.Debug, "The coordinator of run {Run} did not say how it goes.")]
    internal static partial void RunNotSeen(ILogger logger, Exception exception, Guid run);
}
