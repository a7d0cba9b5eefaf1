using System.CommandLine;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>status.</summary>
internal static class StatusCommand
{
    internal static Command Create(SharedOptions shared)
    {
        var command = new Command("status", "The cluster now: its silos, slots and queue, and open runs. A silo that does not answer makes the exit code 1.");
        command.Do(shared, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        await using var cluster = await invocation.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var report = await new ClusterLooks(cluster).LookAsync(static run => run.State == RunState.Running, cancellationToken).ConfigureAwait(false);
        invocation.Answer(report, console =>
        {
            console.WriteLine($"{report.Cluster}: {ReportTables.Summary(report)}");
            console.WriteLine();
            console.Write(ReportTables.Silos(report, console.Profile.Width));
            if (report.Runs.Count > 0)
            {
                console.WriteLine();
                console.Write(ReportTables.Runs(report.Runs, console.Profile.Width));
            }
        });
        return report.Silos.All(silo => silo.State != SiloState.Silent) ? ExitCode.Ok : ExitCode.Failed;
    }
}
