using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Orleans.Joblib;

/// <summary>The product's one meter and one activity source, behind verbs: code says what happened, this class says how it is counted.</summary>
internal static class JoblibInstruments
{
    private static readonly ActivitySource Source = new(JoblibTelemetry.ActivitySourceName);
    internal static readonly Meter Meter = new(JoblibTelemetry.MeterName);

    private static readonly Counter<long> Runs = Meter.CreateCounter<long>("joblib.runs", "{run}", "Runs that ended.");
    private static readonly Counter<long> Calls = Meter.CreateCounter<long>("joblib.calls", "{call}", "Calls whose batch ended.");
    private static readonly Counter<long> Batches = Meter.CreateCounter<long>("joblib.batches", "{batch}", "Batches that ended.");
    private static readonly Histogram<double> RunTime = Meter.CreateHistogram<double>("joblib.run.duration", "s", "From a run's start to its end.");
    private static readonly Histogram<double> BatchTime = Meter.CreateHistogram<double>("joblib.batch.duration", "s", "From a batch's dispatch to its outcome at the caller.");
    private static readonly Histogram<double> QueueTime = Meter.CreateHistogram<double>("joblib.batch.queue.duration", "s", "From a batch's dispatch to the worker that took it up.");
    private static readonly Histogram<long> PayloadSize = Meter.CreateHistogram<long>("joblib.payload.size", "By", "A batch's size on the wire; 0 when it passed by reference.");
    private static readonly Counter<long> CodeSize = Meter.CreateCounter<long>("joblib.code.sent", "By", "Assemblies and native libraries that silos lacked and were sent.");
    private static readonly Counter<long> ArraySize = Meter.CreateCounter<long>("joblib.arrays.sent", "By", "Large arrays that hosts lacked and were sent, to blob storage or through a silo.");
    private static readonly Counter<long> CoordinatedRuns = Meter.CreateCounter<long>("joblib.runs.ended", "{run}", "Runs that ended, as the silo of their coordinator knows it: completed, failed, cancelled or lost.");
    private static readonly UpDownCounter<long> SlotsInUse = Meter.CreateUpDownCounter<long>("joblib.slots.in_use", "{slot}", "Slots of this process's silos that are executing a batch.");

    /// <summary>Whether anyone measures batches: the hot path asks before it builds tags.</summary>
    internal static bool MeasuresBatches => Calls.Enabled || Batches.Enabled || BatchTime.Enabled || QueueTime.Enabled;

    internal static Activity? StartRun(string backend)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var activity = Source.StartActivity("joblib.run");
        activity?.SetTag("joblib.backend", backend);
        return activity;
    }

    /// <summary>Ends the span of what did not come about.</summary>
    internal static void Failed(Activity? activity, Exception exception)
    {
        activity?.SetStatus(ActivityStatusCode.Error, exception.GetType().FullName);
        activity?.Dispose();
    }

    /// <summary>Ends a span that turned out to be none: it is not exported.</summary>
    internal static void Discard(Activity? activity)
    {
        if (activity is not null)
        {
            activity.IsAllDataRequested = false;
            activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            activity.Dispose();
        }
    }

    /// <summary>The coordinator grants a run its slots, or changes them when the client opens it again.</summary>
    internal static Activity? StartCoordinate(string? run, int requestedSlots)
    {
        if (!Source.HasListeners() || !ActivityContext.TryParse(run, null, isRemote: true, out var parent))
        {
            return null;
        }

        var activity = Source.StartActivity("joblib.coordinate", ActivityKind.Server, parent);
        activity?.SetTag("joblib.slots.requested", requestedSlots);
        return activity;
    }

    internal static Activity? StartBatch(ActivityContext run, long batch, int calls)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        // A batch ends on another thread than it starts on: it must not become the current activity of either.
        var current = Activity.Current;
        var activity = Source.StartActivity("joblib.batch", ActivityKind.Producer, run);
        Activity.Current = current;
        activity?.SetTag("joblib.batch", batch);
        activity?.SetTag("joblib.calls", calls);
        return activity;
    }

    internal static Activity? StartExecute(ActivityContext batch, int calls)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var activity = Source.StartActivity("joblib.execute", ActivityKind.Consumer, batch);
        activity?.SetTag("joblib.calls", calls);
        activity?.SetTag("joblib.worker", Thread.CurrentThread.Name);
        return activity;
    }

    internal static void RunEnded(string backend, string outcome, TimeSpan duration)
    {
        if (Runs.Enabled || RunTime.Enabled)
        {
            var tags = new TagList { { "backend", backend }, { "outcome", outcome } };
            Runs.Add(1, tags);
            RunTime.Record(duration.TotalSeconds, tags);
        }
    }

    internal static void CoordinatedRunEnded(string outcome) => CoordinatedRuns.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    internal static void BatchEnded(string backend, string outcome, int calls, TimeSpan duration, TimeSpan queued)
    {
        var tags = new TagList { { "backend", backend }, { "outcome", outcome } };
        Batches.Add(1, tags);
        Calls.Add(calls, tags);
        BatchTime.Record(duration.TotalSeconds, tags);
        QueueTime.Record(queued.TotalSeconds, tags);
    }

    internal static void PayloadSent(long bytes) => PayloadSize.Record(bytes);

    internal static void CodeSent(long bytes) => CodeSize.Add(bytes);

    internal static void ArraysSent(long bytes) => ArraySize.Add(bytes);

    internal static void SlotTaken() => SlotsInUse.Add(1);

    internal static void SlotFreed() => SlotsInUse.Add(-1);
}
