using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Gateway;

internal static partial class GatewayLog
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "A client of the gateway was refused: {Reason}.")]
    internal static partial void TlsRefused(ILogger logger, string reason);
}
