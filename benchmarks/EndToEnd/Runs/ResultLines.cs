using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Results as JSON, one line each.</summary>
internal sealed class ResultLines(TextWriter writer)
{
    // "1.5 µs" should read so in the file.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal void Write(IWorkload workload, IContender contender, IReadOnlyList<double> values, JsonObject extra)
    {
        var line = Begin(workload.Name, contender);
        line["unit"] = workload.Unit;
        line["median"] = Number(Statistics.Median(values));
        line["min"] = Number(values.Min());
        line["max"] = Number(values.Max());
        line["runs"] = values.Count;
        line["values"] = new JsonArray([.. values.Select(Number)]);
        foreach (var (name, value) in contender.Fields.Concat(extra))
        {
            // A side that has no such setting has no such field.
            if (value is not null)
            {
                line[name] = value.DeepClone();
            }
        }

        End(line);
    }

    internal void WriteSkipped(string workload, IContender contender, string reason)
    {
        var line = Begin(workload, contender);
        line["skipped"] = reason;
        End(line);
    }

    /// <summary>A number with the six digits that a measurement is good for at most.</summary>
    internal static JsonNode Number(double value) =>
        JsonNode.Parse(double.Parse(value.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("0.##########", CultureInfo.InvariantCulture))!;

    private static JsonObject Begin(string workload, IContender contender)
    {
        var line = new JsonObject { ["workload"] = workload, ["backend"] = contender.Backend };
        if (contender.Variant is { } variant)
        {
            line[variant.Key] = variant.Value;
        }

        return line;
    }

    private void End(JsonObject line)
    {
        writer.WriteLine(line.ToJsonString(Json));
        writer.Flush();
    }
}
