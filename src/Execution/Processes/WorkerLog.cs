using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>Log records that calls write in a worker process: sent as they are written, and written again by the program's own loggers.</summary>
internal static class WorkerLog
{
    /// <summary>In a worker process, the factory whose records go to the program; else null.</summary>
    internal static ILoggerFactory? Factory { get; set; }

    /// <summary>The least level that a logger takes.</summary>
    internal static LogLevel LeastLevel(ILogger logger)
    {
        for (var level = LogLevel.Trace; level < LogLevel.None; level++)
        {
            if (logger.IsEnabled(level))
            {
                return level;
            }
        }

        return LogLevel.None;
    }

    internal static Frame Record(string category, LogLevel level, EventId id, string message, IEnumerable<KeyValuePair<string, object?>>? state, Exception? exception) => Frame.Of(FrameKind.Log, writer =>
    {
        writer.WriteString(category);
        writer.WriteByte((byte)level);
        writer.WriteRaw(id.Id);
        writer.WriteOptionalString(id.Name);
        writer.WriteString(message);
        KeyValuePair<string, object?>[] values = [.. state ?? []];
        writer.WriteVarUInt((ulong)values.Length);
        foreach (var (name, value) in values)
        {
            writer.WriteString(name);
            writer.WriteOptionalString(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture));
        }

        writer.WriteOptionalString(exception?.ToString());
    });

    internal static void Replay(Func<string, ILogger> loggers, int processId, byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        var logger = loggers(reader.ReadString());
        var level = (LogLevel)reader.ReadByte();
        if (!logger.IsEnabled(level))
        {
            return;
        }

        var id = reader.ReadRaw<int>();
        var name = reader.ReadOptionalString();
        var message = reader.ReadString();
        var values = new KeyValuePair<string, object?>[reader.ReadCount() + 1];
        for (var i = 1; i < values.Length; i++)
        {
            values[i] = new(reader.ReadString(), reader.ReadOptionalString());
        }

        values[0] = new("joblib.worker", processId);
        var exception = reader.ReadOptionalString() is { } text ? new RemoteLogException(text) : null;
        logger.Log(level, new EventId(id, name), values, exception, (_, _) => message);
    }
}
