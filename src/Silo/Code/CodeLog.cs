using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>What a silo says in logs about shipped code.</summary>
internal static partial class CodeLog
{
    [LoggerMessage(151, LogLevel.Warning, "'{Path}' in the code cache is corrupt: deleted, and asked for again.")]
    internal static partial void CorruptFileDeleted(ILogger logger, string path);

    [LoggerMessage(152, LogLevel.Warning, "'{Path}' in the code cache cannot be read: deleted, and asked for again.")]
    internal static partial void UnreadableFileDeleted(ILogger logger, Exception exception, string path);

    [LoggerMessage(153, LogLevel.Debug, "'{Name}' ({Bytes} bytes) evicted from the code cache.")]
    internal static partial void Evicted(ILogger logger, string name, long bytes);

    [LoggerMessage(154, LogLevel.Information, "Code set {Code} of {Items} pieces is known.")]
    internal static partial void CodeSetKnown(ILogger logger, CodeHash code, int items);

    [LoggerMessage(155, LogLevel.Information, "Code set {Code} was not used for {IdleTime}: unloading.")]
    internal static partial void CodeSetUnloading(ILogger logger, CodeHash code, TimeSpan idleTime);

    [LoggerMessage(156, LogLevel.Warning, "{Count} unloaded code sets are still in memory {IdleTime} after the last call: something that they started holds them, as a thread, a timer or a static event of the framework.")]
    internal static partial void CodeSetsLeaked(ILogger logger, int count, TimeSpan idleTime);
}
