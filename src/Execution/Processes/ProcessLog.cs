using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>What process pools say in logs.</summary>
internal static partial class ProcessLog
{
    [LoggerMessage(41, LogLevel.Warning, "Worker process {Process} died ({Exit}) with a batch of {Calls} calls from call {Index}: they are made again, each by itself, and its other work goes to other workers.")]
    internal static partial void WorkerDied(ILogger logger, int process, string exit, int calls, long index);

    [LoggerMessage(42, LogLevel.Warning, "Worker process {Process} died ({Exit}) while it had nothing to do; it is replaced when it is needed.")]
    internal static partial void IdleWorkerDied(ILogger logger, int process, string exit);

    [LoggerMessage(43, LogLevel.Warning, "Worker process {Process} was replaced: it occupies {Megabytes:0} MB, {FirstMegabytes:0} MB after its first batch, and may grow by {MostMegabytes:0} MB. Calls may keep memory in static fields, or libraries may leak.")]
    internal static partial void GrewTooLarge(ILogger logger, int process, double megabytes, double firstMegabytes, double mostMegabytes);

    [LoggerMessage(44, LogLevel.Warning, "A call overran its timeout in worker process {Process}, which was killed and is replaced.")]
    internal static partial void CallOverdue(ILogger logger, int process);

    [LoggerMessage(45, LogLevel.Warning, "A worker process could not be started; another attempt follows, and the others go on.")]
    internal static partial void StartFailed(ILogger logger, Exception exception);
}
