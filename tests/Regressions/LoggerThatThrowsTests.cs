using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>A user's logger that throws, on threads where an exception would end the process.</summary>
[Collection(ProcessWideCollection.Name)]
public sealed class LoggerThatThrowsTests
{
    // Before the fix the exception left the finalizer's thread, and the sequence was closed there.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Stream_Dropped_ClosesTheSequenceOnAThreadOfThePoolWithoutHarm(int nJobs)
    {
        using var log = new ThrowingLog();
        using var parallel = Parallel(nJobs, preDispatch: 2, batchSize: 1);
        using var closed = new ManualResetEventSlim();
        var onThePool = false;
        Drop(parallel, nJobs, Calls());
        Patience.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return closed.IsSet;
            },
            "the sequence of the dropped stream to be closed");
        Assert.True(onThePool);

        static void Fail() => throw new FormatException("from the sequence's end");

        IEnumerable<Delayed<int>> Calls()
        {
            try
            {
                while (true)
                {
                    yield return Delayed(() => 1);
                }
            }
            finally
            {
                onThePool = Thread.CurrentThread.IsThreadPoolThread;
                closed.Set();

                // The library logs what a sequence throws when it is closed.
                Fail();
            }
        }
    }

    // Before the fix the exception left the timer's callback, which ends the process, and the run hung.
    [Fact]
    public async Task RunAsync_CallOverruns_TheLoggersExceptionIsTheRuns()
    {
        using var log = new ThrowingLog();
        using var parallel = Parallel(nJobs: 2, timeout: TimeSpan.FromMilliseconds(50));
        using var ended = new ManualResetEventSlim();
        var run = parallel.RunAsync([Delayed(() => ended.Wait(Patience.Limit)), Delayed(() => true)], TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<FormatException>(() => run.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));
        ended.Set();
    }

    // Before the fix the exception left Dispose before it had told the run, whose calls went on.
    [Fact]
    public void Dispose_StreamInProgress_EndsItAllTheSame()
    {
        using var log = new ThrowingLog();
        var parallel = Parallel(nJobs: 2, batchSize: 1);
        using var told = new ManualResetEventSlim();
        using var results = parallel.Stream(Enumerable.Range(0, 2).Select(_ => Delayed(token =>
        {
            Patience.AwaitCancelled(token);
            told.Set();
        }))).GetEnumerator();
        parallel.Dispose();
        Patience.Await(told, "a call to hear of the end");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Drop(JoblibParallel parallel, int nJobs, IEnumerable<Delayed<int>> calls)
    {
        // One job makes its calls while it is read; more make theirs at once.
        var results = parallel.Stream(calls).GetEnumerator();
        if (nJobs == 1)
        {
            Assert.True(results.MoveNext());
        }
    }

    private sealed class ThrowingLog : ILoggerFactory, ILogger
    {
        private readonly ILoggerFactory? _previous = Joblib.LoggerFactory;

        internal ThrowingLog() => Joblib.LoggerFactory = this;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new FormatException("from the logger");

        public void Dispose() => Joblib.LoggerFactory = _previous;
    }
}
