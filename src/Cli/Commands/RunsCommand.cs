using System.CommandLine;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>runs.</summary>
internal static class RunsCommand
{
    private const int DefaultEnded = 20;
    private const int MostEnded = 10_000;

    internal static Command Create(SharedOptions shared)
    {
        var ended = new Option<int>("--ended")
        {
            HelpName = "N",
            DefaultValueFactory = _ => DefaultEnded,
            Description = $"The most runs that have ended, the latest of them, 0 to {MostEnded}. Silos keep the last 100 each.",
        };
        ended.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var count) && count is < 0 or > MostEnded)
            {
                result.AddError($"--ended must not be '{count}'. Use a number from '0' to '{MostEnded}'.");
            }
        });
        var command = new Command("runs", "Open runs and those that ended lately: progress, rate, failures.") { ended };
        command.Do(shared, (invocation, cancellationToken) => RunAsync(invocation, invocation.Parsed.GetValue(ended), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Invocation invocation, int ended, CancellationToken cancellationToken)
    {
        await using var cluster = await invocation.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var report = await new ClusterLooks(cluster).LookAsync(static _ => true, cancellationToken).ConfigureAwait(false);
        var shown = report.Runs.Where(run => run.EndedAt is not null).OrderByDescending(run => run.EndedAt).Take(ended).ToHashSet();
        var runs = report.Runs.Where(run => run.EndedAt is null || shown.Contains(run)).ToArray();
        invocation.Answer(new { report.Cluster, report.Time, runs }, console => console.Write(ReportTables.Runs(runs, console.Profile.Width)));
        return ExitCode.Ok;
    }
}
