using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Tests;

/// <summary>All that runs of this test process log. Tests run side by side: look for a value that only your own run could have logged.</summary>
internal sealed class CapturedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Message)> _lines = new();

    internal static CapturedLog Instance { get; } = new();

    internal int Count(LogLevel level, string text) =>
        _lines.Count(line => line.Level == level && line.Message.Contains(text, StringComparison.Ordinal));

    internal bool Has(LogLevel level, string text) => Count(level, text) > 0;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _lines.Enqueue((logLevel, formatter(state, exception)));
        }
    }

    public void Dispose()
    {
    }

    [ModuleInitializer]
    internal static void Install()
    {
        Joblib.LoggerFactory = Instance;

        // Tests block pool threads on purpose; growing the pool one thread every half second would make them slow, not wrong.
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, 64), ports);
    }
}
