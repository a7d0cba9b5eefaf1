using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>Everything that tells people how a run goes: progress lines, progress reports, span, metrics, log.</summary>
internal sealed class RunObserver
{
    private static readonly TimeSpan ReportPatience = TimeSpan.FromMilliseconds(250);

    private readonly ConfiguredBackend _backend;
    private readonly IProgress<RunProgress>? _progress;
    private readonly ProgressPrinter? _printer;
    private readonly Activity? _activity;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly Lock _reportGate = new();
    private volatile bool _ended;
    private long _reportedCalls;
    private long _reportedFailures;

    internal RunObserver(RunSettings settings, ConfiguredBackend backend, Activity? span, long? length, long preDispatch, TimeProvider time)
    {
        _backend = backend;
        _progress = settings.Progress;
        _time = time;
        _startedAt = time.GetTimestamp();
        _activity = span ?? JoblibInstruments.StartRun(Name);
        _activity?.SetTag("joblib.n_jobs", backend.NJobs);

        // The run's span ends on another thread; on this one it must not stay current.
        if (_activity is not null && Activity.Current == _activity)
        {
            Activity.Current = _activity.Parent;
        }

        if (settings.Verbose > 0)
        {
            _printer = new ProgressPrinter(settings.Backend.Settings.NJobs, settings.Verbose, length, settings.PreDispatch.IsAll ? 0 : preDispatch);
            _printer.Started(Name, backend.NJobs);
        }
    }

    internal ActivityContext Span => _activity?.Context ?? default;

    private string Name => _backend.Backend.Name;

    private TimeSpan Elapsed => _time.GetElapsedTime(_startedAt);

    internal void BatchDispatched(CallBatch batch)
    {
        batch.DispatchedAt = _time.GetTimestamp();
        batch.Span = JoblibInstruments.StartBatch(Span, batch.Number, batch.Count);
    }

    /// <summary>A batch has ended, or a part of it failed.</summary>
    /// <returns>The time since its dispatch.</returns>
    internal TimeSpan BatchEnded(CallBatch batch, bool completed, Exception? fault)
    {
        var duration = _time.GetElapsedTime(batch.DispatchedAt);
        if (JoblibInstruments.MeasuresBatches || batch.Span is not null)
        {
            var failed = fault is not null || batch.Failure is not null;
            JoblibInstruments.BatchEnded(
                Name,
                failed ? "failed" : completed ? "completed" : "cancelled",
                batch.Count,
                duration,
                batch.StartedAt == 0 ? duration : _time.GetElapsedTime(batch.DispatchedAt, batch.StartedAt));
            batch.Span?.SetStatus(failed ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
            batch.Span?.Dispose();
        }

        return duration;
    }

    /// <summary>Reports calls that ended. Under a lock of its own: the user's code must hold up neither results nor dispatch, and reports come in order.</summary>
    /// <param name="ended">Calls that ended.</param>
    /// <param name="failed">How many of them failed.</param>
    /// <param name="counts">Calls dispatched and in all; asked under the lock, so that no report is behind the one before.</param>
    internal void CallsEnded(int ended, int failed, Func<(long Dispatched, long? Total)> counts)
    {
        if (_progress is null)
        {
            return;
        }

        lock (_reportGate)
        {
            if (_ended)
            {
                // A call that goes on in spite of its run's end: the caller has his results or his failure, and perhaps another run.
                return;
            }

            _reportedCalls += ended;
            _reportedFailures += failed;
            var (dispatched, total) = counts();
            _progress.Report(new RunProgress(_reportedCalls, _reportedFailures, dispatched, total, Elapsed));
        }
    }

    /// <summary>Prints a step of the automatic batch size; called under the run's lock.</summary>
    internal void PrintBatchSize()
    {
        if (_printer is not null && _backend.Backend.TakeBatchSizeChange() is { } change)
        {
            _printer.BatchSizeChanged(change);
        }
    }

    /// <summary>Prints a line if one is due; called under the run's lock.</summary>
    internal void Print(long completedCalls, long dispatchedCalls, long dispatchedBatches, bool drained)
    {
        if (drained)
        {
            _printer?.Draining(completedCalls, dispatchedCalls, Elapsed);
        }
        else
        {
            _printer?.Running(completedCalls, dispatchedBatches, Elapsed);
        }
    }

    /// <summary>Ends spans, lines and reports: none comes after this returns.</summary>
    internal void RunEnded(long calls, long batches, Exception? failure)
    {
        _ended = true;
        if (_reportGate.TryEnter(ReportPatience))
        {
            // The report in progress, if there was one, is over. One that hangs must not keep the failure from the caller.
            _reportGate.Exit();
        }

        var elapsed = Elapsed;
        var outcome = failure switch { null => "completed", OperationCanceledException => "cancelled", _ => "failed" };
        if (failure is null && calls > 0)
        {
            _printer?.Finished(calls, elapsed);
        }

        JoblibInstruments.RunEnded(Name, outcome, elapsed);
        if (Joblib.Logger.IsEnabled(LogLevel.Information))
        {
            JoblibLog.RunEnded(Joblib.Logger, Name, _backend.NJobs, calls, batches, elapsed, outcome);
        }

        _activity?.SetStatus(failure is null ? ActivityStatusCode.Ok : ActivityStatusCode.Error, failure?.GetType().FullName);
        _activity?.Dispose();
    }
}
