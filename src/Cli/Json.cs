using System.Text.Json;

namespace Orleans.Joblib.Cli;

/// <summary>Answers as JSON, one document a line.</summary>
internal static class Json
{
    internal static string Text(object report) => JsonSerializer.Serialize(report, ReportJson.Options);
}
