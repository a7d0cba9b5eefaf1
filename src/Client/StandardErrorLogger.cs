using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>Where warnings go until the program sets <c>Joblib.LoggerFactory</c>: one line each on standard error, as Python's warnings do.</summary>
internal sealed class StandardErrorLogger : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            var cause = exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})";
            Console.Error.WriteLine($"joblib {(logLevel == LogLevel.Warning ? "warning" : "error")}: {formatter(state, exception)}{cause}");
        }
    }
}
