using System.CommandLine;
using System.Globalization;

namespace Orleans.Joblib.Cli;

/// <summary>The options that every command takes.</summary>
internal sealed class SharedOptions
{
    internal const string ClusterVariable = "JOBLIB_ORLEANS_CLUSTER";
    internal const string DefaultCluster = "localhost";

    internal Option<string?> Cluster { get; } = new("--cluster")
    {
        HelpName = "STRING",
        Recursive = true,
        Description = $"The cluster: 'redis://[user:password@]host[:port][?cluster=NAME]', or 'host[:30000]' of a silo's gateway. Default: {ClusterVariable}, else {DefaultCluster}.",
    };

    internal Option<bool> Json { get; } = new("--json") { Recursive = true, Description = "The answer as JSON on standard output; docs/cli.md has its shapes." };

    internal Option<double> ConnectTimeout { get; } = Seconds("--connect-timeout", 5, 0.1, 600, "How long to try to reach the cluster", recursive: true);

    internal IEnumerable<Option> All => [Cluster, Json, ConnectTimeout];

    /// <summary>An option that takes a time.</summary>
    internal static Option<double> Seconds(string name, double standard, double least, double most, string description, bool recursive = false)
    {
        var option = new Option<double>(name)
        {
            HelpName = "SECONDS",
            Recursive = recursive,
            DefaultValueFactory = _ => standard,
            Description = string.Create(CultureInfo.InvariantCulture, $"{description}, {least} to {most} seconds."),
        };
        option.Validators.Add(result =>
        {
            // What is no number at all is told by the parser.
            if (result.Tokens is [var token]
                && double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && !(value >= least && value <= most))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must not be '{token.Value}'. Use a number of seconds from '{least}' to '{most}'."));
            }
        });
        return option;
    }
}
