using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Spans that end in a worker process: sent when the program traces the batch, and shown to the program's listeners as if they had ended there.</summary>
/// <remarks>
/// Times, ids, status and tags are the worker's. Tags are kept where they are text, numbers or truth values, and as text otherwise; events and links are not brought along.
/// A span that begins in a call and ends after its batch arrives too.
/// </remarks>
internal static class WorkerSpans
{
    private static readonly ConcurrentDictionary<(string Name, string? Version), ActivitySource> Sources = new();

    /// <summary>Sends every span of this process that ends while <paramref name="traces"/> says so.</summary>
    internal static void SendTo(Action<Frame> send, Func<bool> traces) => ActivitySource.AddActivityListener(new ActivityListener
    {
        ShouldListenTo = static _ => true,
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => traces() ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
        ActivityStopped = activity =>
        {
            if (activity.IdFormat == ActivityIdFormat.W3C)
            {
                send(Of(activity));
            }
        },
    });

    internal static void Replay(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        var source = Sources.GetOrAdd((reader.ReadString(), reader.ReadOptionalString()), static key => new ActivitySource(key.Name, key.Version ?? ""));
        var name = reader.ReadString();
        var display = reader.ReadString();
        var kind = (ActivityKind)reader.ReadByte();
        var trace = ActivityTraceId.CreateFromString(reader.ReadString());
        var parent = ActivitySpanId.CreateFromString(reader.ReadString());
        var id = reader.ReadString();
        var start = new DateTime(reader.ReadRaw<long>(), DateTimeKind.Utc);
        var duration = new TimeSpan(reader.ReadRaw<long>());
        var status = (ActivityStatusCode)reader.ReadByte();
        var description = reader.ReadOptionalString();
        var tags = new KeyValuePair<string, object?>[reader.ReadCount()];
        for (var i = 0; i < tags.Length; i++)
        {
            tags[i] = new(reader.ReadString(), ReadValue(reader));
        }

        var current = Activity.Current;
        try
        {
            var activity = source.CreateActivity(name, kind, new ActivityContext(trace, parent, ActivityTraceFlags.Recorded, isRemote: true), tags, idFormat: ActivityIdFormat.W3C);
            if (activity is null)
            {
                return;
            }

            activity.DisplayName = display;
            activity.SetStartTime(start);
            activity.Start();

            // Its children, and other services that the call asked, name it by the id that it had in the worker.
            SpanId(activity) = id;
            Id(activity) = null;
            activity.SetStatus(status, description);
            activity.SetEndTime(start + duration);
            activity.Stop();
        }
        finally
        {
            Activity.Current = current;
        }
    }

    // There is no way to make a span with a given id; a test fails should a version of .NET name these otherwise.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    private static extern ref string? SpanId(Activity activity);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_id")]
    private static extern ref string? Id(Activity activity);

    private static Frame Of(Activity activity) => Frame.Of(FrameKind.Span, writer =>
    {
        writer.WriteString(activity.Source.Name);
        writer.WriteOptionalString(activity.Source.Version);
        writer.WriteString(activity.OperationName);
        writer.WriteString(activity.DisplayName);
        writer.WriteByte((byte)activity.Kind);
        writer.WriteString(activity.TraceId.ToHexString());
        writer.WriteString(activity.ParentSpanId.ToHexString());
        writer.WriteString(activity.SpanId.ToHexString());
        writer.WriteRaw(activity.StartTimeUtc.Ticks);
        writer.WriteRaw(activity.Duration.Ticks);
        writer.WriteByte((byte)activity.Status);
        writer.WriteOptionalString(activity.StatusDescription);
        KeyValuePair<string, object?>[] tags = [.. activity.TagObjects];
        writer.WriteVarUInt((ulong)tags.Length);
        foreach (var (name, value) in tags)
        {
            writer.WriteString(name);
            WriteValue(writer, value);
        }
    });

    private static void WriteValue(PayloadWriter writer, object? value)
    {
        switch (value)
        {
            case int number:
                writer.WriteByte(1);
                writer.WriteRaw(number);
                break;
            case long number:
                writer.WriteByte(2);
                writer.WriteRaw(number);
                break;
            case double number:
                writer.WriteByte(3);
                writer.WriteRaw(number);
                break;
            case bool truth:
                writer.WriteByte(truth ? (byte)5 : (byte)4);
                break;
            default:
                writer.WriteByte(0);
                writer.WriteOptionalString(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
        }
    }

    private static object? ReadValue(PayloadReader reader) => reader.ReadByte() switch
    {
        1 => reader.ReadRaw<int>(),
        2 => reader.ReadRaw<long>(),
        3 => reader.ReadRaw<double>(),
        4 => false,
        5 => true,
        _ => reader.ReadOptionalString(),
    };
}
