using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>What the client says in logs. Warnings are joblib's UserWarnings.</summary>
internal static partial class JoblibLog
{
    [LoggerMessage(1, LogLevel.Information, "Run on backend '{Backend}' with {NJobs} jobs: {Calls} calls in {Batches} batches, {Elapsed}, {Outcome}.")]
    internal static partial void RunEnded(ILogger logger, string backend, int nJobs, long calls, long batches, TimeSpan elapsed, string outcome);

    [LoggerMessage(2, LogLevel.Warning, "The backend '{Backend}' does not support timeouts: 'timeout: {Timeout}' is not applied.")]
    internal static partial void TimeoutNotSupported(ILogger logger, string backend, TimeSpan timeout);

    [LoggerMessage(3, LogLevel.Warning, "A stream was left before its end: {Ready} calls had been made whose results nobody took, {Pending} more were cancelled. "
        + "Take fewer calls from the sequence, or cap 'maxUnconsumed', to save the work.")]
    internal static partial void StreamLeft(ILogger logger, long ready, long pending);

    [LoggerMessage(4, LogLevel.Warning, "The workers of backend '{Backend}' could not be released.")]
    internal static partial void TerminateFailed(ILogger logger, Exception exception, string backend);

    [LoggerMessage(5, LogLevel.Warning, "Call {Index} overran its timeout of {Timeout}: its worker was given up and replaced. A thread cannot be stopped; it ends when the call does.")]
    internal static partial void CallOverdue(ILogger logger, long index, TimeSpan timeout);

    [LoggerMessage(6, LogLevel.Warning, "The backend '{Backend}' could not be aborted cleanly.")]
    internal static partial void AbortFailed(ILogger logger, Exception exception, string backend);

    [LoggerMessage(7, LogLevel.Warning, "The lease of run {Run} could not be renewed; trying again.")]
    internal static partial void RenewFailed(ILogger logger, Exception exception, Guid run);

    [LoggerMessage(8, LogLevel.Warning, "The sequence of calls threw while it was closed.")]
    internal static partial void SourceNotClosed(ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Information, "The end of run {Run} did not reach its coordinator; its lease ends it.")]
    internal static partial void RunNotEnded(ILogger logger, Exception exception, Guid run);

    [LoggerMessage(10, LogLevel.Debug, "The connection to the cluster did not close cleanly.")]
    internal static partial void DisconnectFailed(ILogger logger, Exception exception);

    [LoggerMessage(15, LogLevel.Debug, "{Batches} batches did not get to silo {Silo}; trying again while it is in the cluster.")]
    internal static partial void BatchesNotTaken(ILogger logger, Exception exception, int batches, string silo);

    [LoggerMessage(11, LogLevel.Warning, "Silo {Silo} has left the cluster with {Batches} batches of run {Run}: they go to other silos.")]
    internal static partial void SiloLeft(ILogger logger, string silo, int batches, Guid run);

    [LoggerMessage(12, LogLevel.Information, "Silo {Silo} takes no more batches of run {Run}: it is going.")]
    internal static partial void SlotClosed(ILogger logger, string silo, Guid run);

    [LoggerMessage(13, LogLevel.Information, "Batch {Batch} was lost on its way to silo {Silo}; it is sent again.")]
    internal static partial void BatchLost(ILogger logger, long batch, string silo);

    [LoggerMessage(14, LogLevel.Debug, "Silo {Silo} did not answer about run {Run}.")]
    internal static partial void SiloDidNotAnswer(ILogger logger, Exception exception, string silo, Guid run);

    [LoggerMessage(17, LogLevel.Warning, "{Reason}")]
    internal static partial void NestingRefused(ILogger logger, string reason);

    [LoggerMessage(18, LogLevel.Warning, "A worker died with batch {Batch} ({Calls} calls from call {FirstCall}): {Death}. Its calls are made again.")]
    internal static partial void WorkerDied(ILogger logger, long batch, int calls, long firstCall, string death);

    [LoggerMessage(16, LogLevel.Debug, "Run {Run} could not be opened yet; asking again.")]
    internal static partial void RunNotOpenedYet(ILogger logger, Exception exception, Guid run);

    [LoggerMessage(19, LogLevel.Warning, "mmapMode '{Mode}' is not compatible with the compressed file '{Path}': it is ignored, and the file is read.")]
    internal static partial void MmapModeIgnored(ILogger logger, MmapMode mode, string path);

    [LoggerMessage(20, LogLevel.Debug, "The coordinator of run {Run} could not be told how far it has come.")]
    internal static partial void ProgressNotTold(ILogger logger, Exception exception, Guid run);

    [LoggerMessage(21, LogLevel.Debug, "Up to {Batches} batches of run {Run} wait at silo {Silo} while others are idle: they are asked back.")]
    internal static partial void BatchesRecalled(ILogger logger, int batches, Guid run, string silo);

    [LoggerMessage(40, LogLevel.Warning, "A blob of {Bytes} bytes is not in '{Place}' any more; the array takes another way, or the same once more")]
    internal static partial void BlobGone(ILogger logger, long bytes, string place);
}
