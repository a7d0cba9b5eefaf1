using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>cancel.</summary>
internal static class CancelCommand
{
    private const int IdLetters = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(0.25);

    internal static Command Create(SharedOptions shared)
    {
        var run = new Argument<string>("RUN") { Description = "The run's id, or a beginning of it that no other open run has; 'runs' lists them." };
        run.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && Id(token.Value) is var id && (id.Length is 0 or > IdLetters || !id.All(char.IsAsciiHexDigit)))
            {
                result.AddError($"RUN must not be '{token.Value}'. Use a run's id, or a beginning of it, as 'orleans-joblib runs' shows it: letters a to f and digits.");
            }
        });
        var reason = new Option<string?>("--reason") { HelpName = "TEXT", Description = "For the error of the program whose loop it is. Default: who cancelled it." };
        var command = new Command("cancel", "Cancels an open run: the loop of its program fails with 'run-cancelled' and the reason.") { run, reason };
        command.Do(shared, (invocation, cancellationToken) =>
            RunAsync(invocation, Id(invocation.Parsed.GetRequiredValue(run)), invocation.Parsed.GetValue(reason), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Invocation invocation, string id, string? reason, CancellationToken cancellationToken)
    {
        await using var cluster = await invocation.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var monitor = new ClusterMonitor(cluster.Client);
        var view = await monitor.LookAsync(cancellationToken).ConfigureAwait(false);
        var found = view.Runs.Where(run => run.State == RunState.Running && Id(run).StartsWith(id, StringComparison.Ordinal)).ToArray();
        if (found.Length != 1)
        {
            throw new CommandException(
                found.Length == 0 ? ExitCode.Failed : ExitCode.BadUsage,
                found.Length == 0
                    ? $"No open run of '{cluster.Address}' begins with '{id}'{(view.Runs.FirstOrDefault(run => Id(run).StartsWith(id, StringComparison.Ordinal)) is { } ended ? $": run '{Id(ended)}' is {ReportTables.Lower(ended.State)}" : "")}. 'orleans-joblib runs' lists them."
                    : $"'{id}' is the beginning of {found.Length} open runs: {string.Join(", ", found.Select(Id))}. Give more of the one that is meant.");
        }

        var run = Id(found[0]);
        var started = Stopwatch.GetTimestamp();
        while (!await monitor.CancelAsync(found[0].Run, reason is { Length: > 0 } ? reason : $"cancelled by {Environment.UserName}@{Environment.MachineName} with 'orleans-joblib cancel'", cancellationToken).ConfigureAwait(false))
        {
            // It has ended; or its coordinator was lost with a silo this moment, and knows it again as soon as its client has told it.
            var known = (await monitor.LookAsync(cancellationToken).ConfigureAwait(false)).Runs.FirstOrDefault(known => known.Run == found[0].Run);
            if (known is { State: not RunState.Running } || Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new CommandException(ExitCode.Failed, $"The run '{run}' has ended before it could be cancelled.");
            }

            await Task.Delay(Again, cancellationToken).ConfigureAwait(false);
        }

        invocation.Answer(new { run, found[0].Name, found[0].Client, cancelled = true }, console => console.WriteLine($"cancelled {run} ({found[0].Name}, {found[0].Client})"));
        return ExitCode.Ok;
    }

    private static string Id(RunInfo run) => run.Run.ToString("N", CultureInfo.InvariantCulture);

    private static string Id(string given) => given.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
}
