using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orleans.Joblib.Cli;

/// <summary>How answers are written as JSON: one document a line, names in camelCase, words for enums, times in ISO 8601, durations in seconds.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal static string Text(object report) => JsonSerializer.Serialize(report, Options);
}
