using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

internal static partial class BlobLog
{
    [LoggerMessage(LogLevel.Warning, "The lease of this process's arrays in '{Place}' was not renewed")]
    internal static partial void NotRenewed(ILogger logger, Exception exception, string place);

    [LoggerMessage(LogLevel.Warning, "Blobs of '{Folder}' were not deleted; a silo or client does so when their lease is over")]
    internal static partial void NotDeleted(ILogger logger, Exception exception, string folder);

    [LoggerMessage(LogLevel.Information, "{Count} blobs of clients and silos that are gone were deleted from '{Place}'")]
    internal static partial void Swept(ILogger logger, int count, string place);

    [LoggerMessage(LogLevel.Warning, "Blobs of clients and silos that are gone were not deleted from '{Place}'")]
    internal static partial void NotSwept(ILogger logger, Exception exception, string place);
}
