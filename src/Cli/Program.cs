extern alias host;

namespace Orleans.Joblib.Cli;

/// <summary>orleans-joblib.</summary>
internal static class Program
{
    // 'silo' is joblib-silo itself: its own options, help and exit codes.
    private static Task<int> Main(string[] args) => args is [CommandLine.Silo, .. var rest] ? host::Orleans.Joblib.Silo.SiloCommand.InvokeAsync(rest) : CommandLine.InvokeAsync(args);
}
