using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Tests;

/// <summary>Takes the process's warnings while it lives: for tests that run alone.</summary>
internal sealed class WarningLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _warnings = new();
    private readonly ILoggerFactory? _previous = Joblib.LoggerFactory;

    internal WarningLog() => Joblib.LoggerFactory = this;

    internal IReadOnlyCollection<string> Warnings => _warnings;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _warnings.Enqueue(formatter(state, exception));
        }
    }

    public void Dispose() => Joblib.LoggerFactory = _previous;
}
