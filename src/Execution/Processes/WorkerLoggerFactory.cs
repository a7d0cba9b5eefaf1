using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>In a worker process: loggers whose records go to the program.</summary>
internal sealed class WorkerLoggerFactory(Action<Frame> send, Func<LogLevel> least) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, send, least);

    /// <summary>Not supported: the program's own factory has the providers.</summary>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("Log records of a worker process go to its program. Add the provider to the program's factory.");

    public void Dispose()
    {
    }

    private sealed class Logger(string category, Action<Frame> send, Func<LogLevel> least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least() && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                send(WorkerLog.Record(category, logLevel, eventId, formatter(state, exception), state as IEnumerable<KeyValuePair<string, object?>>, exception));
            }
        }
    }
}
