using System.CommandLine;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>watch.</summary>
internal static class WatchCommand
{
    private const double TerminalInterval = 0.5;
    private const double LineInterval = 5;

    internal static Command Create(SharedOptions shared)
    {
        var interval = SharedOptions.Seconds("--interval", Invocation.IsTerminal ? TerminalInterval : LineInterval, 0.1, 3600, "Time between two looks");
        var command = new Command("watch", "The cluster and its runs as they go, until Ctrl-C; where there is no terminal, a line per run and look. With --json, what 'status' gives, once a look.") { interval };
        command.Do(shared, async (invocation, cancellationToken) =>
        {
            await using var cluster = await invocation.ConnectAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await WatchAsync(invocation, new ClusterLooks(cluster), TimeSpan.FromSeconds(invocation.Parsed.GetValue(interval)), cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // How it is meant to end.
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static Task WatchAsync(Invocation invocation, ClusterLooks looks, TimeSpan interval, CancellationToken cancellationToken)
    {
        if (invocation.AsJson)
        {
            return LookAsync(looks, interval, report => Console.Out.WriteLine(Json.Text(report)), fault => Console.Out.WriteLine(Json.Text(new { error = new { exitCode = ExitCode.NotReached, message = fault } })), cancellationToken);
        }

        if (!Invocation.IsTerminal || !invocation.Console.Profile.Capabilities.Interactive || !invocation.Console.Profile.Capabilities.Ansi)
        {
            return LookAsync(looks, interval, WriteLines, fault => WriteLine("the cluster does not answer: " + fault), cancellationToken);
        }

        return invocation.Console.Live(new Text("")).AutoClear(false).Overflow(VerticalOverflow.Ellipsis).StartAsync(live => LookAsync(
            looks,
            interval,
            report => live.UpdateTarget(new Rows(
                new Text($"{report.Cluster}: {ReportTables.Summary(report)}"),
                new Text(""),
                ReportTables.Silos(report, invocation.Console.Profile.Width),
                new Text(""),
                ReportTables.Runs(report.Runs, invocation.Console.Profile.Width))),
            fault => live.UpdateTarget(new Text("The cluster does not answer, and is asked again: " + fault, new Style(Color.Red))),
            cancellationToken));
    }

    private static async Task LookAsync(ClusterLooks looks, TimeSpan interval, Action<ClusterReport> show, Action<string> failed, CancellationToken cancellationToken)
    {
        var started = DateTimeOffset.UtcNow;
        using var timer = new PeriodicTimer(interval);
        do
        {
            try
            {
                // Those that ended before it began are 'runs'' business.
                show(await looks.LookAsync(run => run.EndedAt is null || run.EndedAt >= started - interval, cancellationToken).ConfigureAwait(false));
            }
            catch (JoblibException exception)
            {
                // It may come back: silos that are started anew, a network that was away.
                failed(exception.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
    }

    private static void WriteLines(ClusterReport report)
    {
        WriteLine(ReportTables.Summary(report));
        foreach (var run in report.Runs)
        {
            WriteLine("  " + ReportTables.Line(run));
        }
    }

    private static void WriteLine(string line) => Console.Out.WriteLine($"{DateTimeOffset.UtcNow:yyyy-MM-ddTHH:mm:ssZ} {line}");
}
