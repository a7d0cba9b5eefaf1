using System.CommandLine;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>One use of a command: what was asked, and where the answer goes.</summary>
internal sealed class Invocation
{
    // Wide enough for every table: what reads a file or a pipe breaks no lines.
    private const int WidthWithoutTerminal = 240;

    private readonly SharedOptions _shared;

    internal Invocation(ParseResult parsed, SharedOptions shared)
    {
        Parsed = parsed;
        _shared = shared;
        var given = parsed.GetValue(shared.Cluster) is { Length: > 0 } text ? text : Environment.GetEnvironmentVariable(SharedOptions.ClusterVariable);
        HasCluster = !string.IsNullOrWhiteSpace(given);
        Cluster = HasCluster ? given! : SharedOptions.DefaultCluster;
        try
        {
            Address = ClusterAddress.Parse(Cluster);
        }
        catch (ArgumentException exception)
        {
            throw new CommandException(ExitCode.BadUsage, exception.Message.Split(" (Parameter")[0]);
        }
    }

    internal ParseResult Parsed { get; }

    internal bool AsJson => Parsed.GetValue(_shared.Json);

    internal static bool IsTerminal => !System.Console.IsOutputRedirected;

    /// <summary>Whether somebody named the cluster, or it is the default.</summary>
    internal bool HasCluster { get; }

    internal string Cluster { get; }

    internal ClusterAddress Address { get; }

    internal TimeSpan ConnectTimeout => TimeSpan.FromSeconds(Parsed.GetValue(_shared.ConnectTimeout));

    internal IAnsiConsole Console { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Out) });

    internal Task<JoblibCluster> ConnectAsync(CancellationToken cancellationToken) =>
        JoblibCluster.ConnectAsync(Cluster, new JoblibClusterOptions { ConnectTimeout = ConnectTimeout }, cancellationToken);

    /// <summary>Gives the answer, as JSON or for people.</summary>
    internal void Answer(object report, Action<IAnsiConsole> draw)
    {
        if (AsJson)
        {
            System.Console.Out.WriteLine(Json.Text(report));
        }
        else if (IsTerminal)
        {
            draw(Console);
        }
        else
        {
            using var text = new StringWriter();
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No });
            console.Profile.Width = WidthWithoutTerminal;
            draw(console);
            foreach (var line in text.ToString().TrimEnd().Split('\n'))
            {
                System.Console.Out.WriteLine(line.TrimEnd());
            }
        }
    }
}
