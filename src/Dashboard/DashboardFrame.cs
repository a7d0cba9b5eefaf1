using System.Buffers;
using System.Text.Json;

namespace Orleans.Joblib;

/// <summary>A frame as the page reads it (wwwroot/app.js): JSON. Silos and runs are as the command line has them; other times are in milliseconds since 1970 by the clock of the process that serves the page.</summary>
internal static class DashboardFrame
{
    internal static byte[] OfFault(string fault) => Write(json => json.WriteString("fault", fault));

    /// <summary>All that is kept, for a page that opens.</summary>
    internal static byte[] First(
        string cluster,
        string? grainsPath,
        IReadOnlyList<SiloBatch> batches,
        IReadOnlyList<LoadSample> load,
        IReadOnlyList<ClusterEvent> events,
        ClusterView? view,
        ClusterReport? report,
        RunChanges runs) => Write(json =>
    {
        json.WriteBoolean("first", true);
        json.WriteString("cluster", cluster);
        json.WriteString("grains", grainsPath);
        Write(json, batches, load, events);
        if (view is not null && report is not null)
        {
            Write(json, view, report, runs);
        }
    });

    /// <summary>What a look found out.</summary>
    internal static byte[] Of(
        IReadOnlyList<SiloBatch> batches, IReadOnlyList<LoadSample> load, IReadOnlyList<ClusterEvent> events, ClusterView view, ClusterReport report, RunChanges runs) => Write(json =>
    {
        Write(json, batches, load, events);
        Write(json, view, report, runs);
    });

    private static void Write(Utf8JsonWriter json, IReadOnlyList<SiloBatch> batches, IReadOnlyList<LoadSample> load, IReadOnlyList<ClusterEvent> events)
    {
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
    }

    private static void Write(Utf8JsonWriter json, ClusterView view, ClusterReport report, RunChanges runs)
    {
        json.WriteNumber("time", view.Time.ToUnixTimeMilliseconds());
        json.WriteStartArray("running");
        foreach (var batch in SiloBatch.RunningIn(view))
        {
            Write(json, batch);
        }

        json.WriteEndArray();
        Write(json, "silos", report.Silos);
        Write(json, "runs", runs.Changed);
        Write(json, "gone", runs.Gone);
    }

    private static void Write<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> values)
    {
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, values, ReportJson.Options);
    }

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
        json.WriteNumberValue(Math.Round(batch.Duration.TotalMilliseconds, 2));
        json.WriteNumberValue(trace.Calls);
        json.WriteNumberValue(trace.Failed ? 1 : 0);
        json.WriteNumberValue(trace.Number);
        json.WriteEndArray();
    }
}
