using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>What the silo program says in logs beside what its silo says.</summary>
internal static partial class HostLog
{
    [LoggerMessage(121, LogLevel.Warning, "Redis had lost the cluster's membership table: {Silos} silos were written back.")]
    internal static partial void TableRestored(ILogger logger, int silos);

    [LoggerMessage(123, LogLevel.Information, "Calls of Python programs run in '{Executable}': {Versions}.")]
    internal static partial void PythonFound(ILogger logger, string executable, string versions);

    [LoggerMessage(122, LogLevel.Debug, "Redis did not give the membership table.")]
    internal static partial void TableNotRead(ILogger logger, Exception exception);

    // Alerts count these lines: infra/bicep/modules/alerts.bicep.
    [LoggerMessage(124, LogLevel.Information, "Silo {Silo} is ready with {Slots} slots.")]
    internal static partial void SiloReady(ILogger logger, string silo, int slots);
}
