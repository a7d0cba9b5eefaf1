using System.Text.Json;
using Xunit;

namespace Orleans.Joblib.Tests.Cli;

/// <summary>What a command left behind.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">All that it wrote, to standard output and standard error.</param>
internal sealed record CliAnswer(int ExitCode, string Output)
{
    /// <summary>The one JSON document of it.</summary>
    internal JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Assert.Single(Output.Split('\n'), line => line.StartsWith('{')));
            return document.RootElement.Clone();
        }
    }

    internal CliAnswer Exited(int code)
    {
        Assert.True(ExitCode == code, $"exit code {ExitCode} instead of {code}:\n{Output}");
        Assert.DoesNotContain(Output.Split('\n'), line => line.StartsWith("   at ", StringComparison.Ordinal));
        return this;
    }
}
