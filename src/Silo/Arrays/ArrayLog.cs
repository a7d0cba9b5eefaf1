using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

internal static partial class ArrayLog
{
    [LoggerMessage(LogLevel.Debug, "An array of {Bytes} bytes was fetched from '{Place}' in {Duration}")]
    internal static partial void Fetched(ILogger logger, long bytes, string place, TimeSpan duration);

    [LoggerMessage(LogLevel.Warning, "An array of {Bytes} bytes was given up: its client has sent nothing for {Silence}")]
    internal static partial void Silent(ILogger logger, long bytes, TimeSpan silence);

    [LoggerMessage(LogLevel.Warning, "Arrays that nobody sends any more were not all removed from their folder")]
    internal static partial void NotTidied(ILogger logger, Exception exception);
}
