using System.Buffers;
using System.Text.Json;

namespace Orleans.Joblib;

/// <summary>A frame as the page reads it (wwwroot/app.js): JSON, times in milliseconds since 1970 by the clock of the process that serves the page.</summary>
internal static class DashboardFrame
{
    internal static byte[] OfFault(string fault) => Write(json => json.WriteString("fault", fault));

    internal static byte[] Of(
        ClusterView? view,
        IReadOnlyList<SiloBatch> batches,
        IReadOnlyList<LoadSample> load,
        IReadOnlyList<ClusterEvent> events,
        bool isFirst = false,
        string? cluster = null,
        string? grainsPath = null) => Write(json =>
    {
        if (isFirst)
        {
            json.WriteBoolean("first", true);
            json.WriteString("cluster", cluster ?? "");
            json.WriteString("grains", grainsPath);
        }

        json.WriteStartArray("batches");
        foreach (var batch in batches)
        {
            Write(json, batch);
        }

        json.WriteEndArray();
        json.WriteStartArray("load");
        foreach (var moment in load)
        {
            json.WriteStartArray();
            json.WriteNumberValue(moment.Time.ToUnixTimeMilliseconds());
            json.WriteNumberValue(moment.Slots);
            json.WriteNumberValue(moment.Busy);
            json.WriteNumberValue(moment.Queued);
            json.WriteNumberValue(Math.Round(moment.CallsPerSecond, 1));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("events");
        foreach (var seen in events)
        {
            json.WriteStartObject();
            json.WriteNumber("time", seen.Time.ToUnixTimeMilliseconds());
            json.WriteString("silo", seen.Silo);
            json.WriteString("what", seen.What);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (view is null)
        {
            return;
        }

        json.WriteNumber("time", view.Time.ToUnixTimeMilliseconds());
        json.WriteStartArray("running");
        foreach (var batch in SiloBatch.RunningIn(view))
        {
            Write(json, batch);
        }

        json.WriteEndArray();
        json.WriteStartArray("silos");
        foreach (var silo in view.Silos)
        {
            Write(json, silo);
        }

        json.WriteEndArray();
        json.WriteStartArray("runs");
        foreach (var run in view.Runs)
        {
            Write(json, run);
        }

        json.WriteEndArray();
    });

    private static byte[] Write(Action<Utf8JsonWriter> body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            body(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    // An array, not an object: there may be thousands.
    private static void Write(Utf8JsonWriter json, SiloBatch batch)
    {
        var trace = batch.Trace;
        json.WriteStartArray();
        json.WriteStringValue(batch.Silo);
        json.WriteNumberValue(trace.Worker);
        json.WriteStringValue(trace.Run.ToString("N"));
        json.WriteNumberValue(batch.StartedAt.ToUnixTimeMilliseconds());
        json.WriteNumberValue(Math.Round((trace.Duration ?? trace.StartedAgo).TotalMilliseconds, 2));
        json.WriteNumberValue(trace.Calls);
        json.WriteNumberValue(trace.Failed ? 1 : 0);
        json.WriteNumberValue(trace.Number);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, SiloReport silo)
    {
        json.WriteStartObject();
        json.WriteString("id", silo.Address.ToParsableString());
        json.WriteString("endpoint", silo.Address.Endpoint.ToString());
        if (silo.View is not { } view)
        {
            json.WriteString("fault", silo.Fault ?? "");
            json.WriteEndObject();
            return;
        }

        json.WriteString("machine", view.Machine);
        json.WriteNumber("process", view.ProcessId);
        json.WriteNumber("upSeconds", Math.Round(view.UpFor.TotalSeconds));
        json.WriteNumber("slots", view.Slots.Size);
        json.WriteNumber("busy", view.Slots.Busy);
        json.WriteNumber("queued", view.Slots.Queued);
        json.WriteNumber("granted", view.Slots.Granted);
        json.WriteBoolean("draining", view.Slots.Draining);
        json.WriteBoolean("inProcesses", view.InProcesses);
        json.WriteNumber("workerProcesses", view.WorkerProcesses);
        json.WriteNumber("threadsPerCall", view.ThreadsPerCall);
        json.WriteNumber("cores", view.Cores);
        if (silo.CoresUsed is { } used)
        {
            json.WriteNumber("coresUsed", Math.Round(used, 2));
        }

        json.WriteNumber("memory", view.WorkingSet);
        json.WriteNumber("memoryLimit", view.MemoryLimit);
        json.WriteNumber("batches", view.EndedCount);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RunInfo run)
    {
        json.WriteStartObject();
        json.WriteString("id", run.Run.ToString("N"));
        json.WriteString("client", run.Client);
        json.WriteString("name", run.Name);
        json.WriteString("state", run.State.ToString());
        json.WriteNumber("startedAt", run.StartedAt.ToUnixTimeMilliseconds());
        if (run.EndedAt is { } ended)
        {
            json.WriteNumber("endedAt", ended.ToUnixTimeMilliseconds());
        }

        json.WriteNumber("slots", run.Slots);
        json.WriteNumber("batches", run.CompletedBatches);
        json.WriteNumber("failedBatches", run.FailedBatches);
        json.WriteNumber("calls", run.CompletedCalls);
        json.WriteNumber("batchSize", run.BatchSize);
        json.WriteNumber("batchMilliseconds", Math.Round(run.BatchDuration.TotalMilliseconds, 2));
        if (run.Progress is { } progress)
        {
            json.WriteNumber("dispatched", progress.Dispatched);
            json.WriteNumber("completed", progress.Completed);
            if (progress.Total is { } total)
            {
                json.WriteNumber("total", total);
            }

            if (progress.Failure is { } failure)
            {
                json.WriteStartObject("failure");
                json.WriteString("exception", failure.Exception);
                if (failure.CallIndex is { } index)
                {
                    json.WriteNumber("callIndex", index);
                    json.WriteString("call", failure.Call);
                    json.WriteString("stack", failure.StackTrace);
                    json.WriteString("worker", failure.Worker);
                }

                json.WriteEndObject();
            }
        }

        json.WriteEndObject();
    }
}
