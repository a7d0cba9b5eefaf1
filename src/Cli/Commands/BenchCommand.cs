using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>bench.</summary>
internal static class BenchCommand
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    internal static Command Create(SharedOptions shared)
    {
        var seconds = SharedOptions.Seconds("--seconds", 10, 1, 600, "About how long to measure");
        var command = new Command("bench", "Whether the cluster is well and how fast it is: one call's latency, calls a second, an array's way to every silo, each with what to expect. It takes all slots for that time.") { seconds };
        command.Do(shared, (invocation, cancellationToken) => RunAsync(invocation, TimeSpan.FromSeconds(invocation.Parsed.GetValue(seconds)), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Invocation invocation, TimeSpan time, CancellationToken cancellationToken)
    {
        await using var cluster = await invocation.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var before = await new ClusterLooks(cluster).LookAsync(static _ => true, cancellationToken).ConfigureAwait(false);
        if (before.Slots == 0)
        {
            throw new CommandException(ExitCode.Failed, $"The cluster '{before.Cluster}' has no slots: its silos drain, or have no workers. 'orleans-joblib status' shows them.");
        }

        var started = Stopwatch.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(time + Grace);
        IReadOnlyList<BenchMeasure> measures;
        try
        {
            measures = await new ClusterBench(cluster.Client, before.Slots, time).RunAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"The cluster did not end the calls within '{time + Grace}' ({before.BusySlots} of {before.Slots} slots were busy, {before.QueuedBatches} batches queued when it began). Try again when it is idle, with a longer --seconds, and look with 'orleans-joblib doctor'.");
        }

        var report = new BenchReport(
            before.Cluster,
            before.Silos.Count(silo => silo.State == SiloState.Open),
            before.Slots,
            before.BusySlots,
            Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 3),
            measures);
        invocation.Answer(report, console => Draw(console, report));
        return ExitCode.Ok;
    }

    private static void Draw(IAnsiConsole console, BenchReport report)
    {
        console.WriteLine($"{report.Cluster}: {ReportTables.Count(report.Silos, "silo")}, {ReportTables.Count(report.Slots, "slot")}{(report.BusySlots > 0 ? $", {report.BusySlots} of them busy with others' work: the figures are of what is left" : "")}");
        console.WriteLine();
        var table = ReportTables.Plain(console.Profile.Width, "MEASURE", "FIGURE", "EXPECTED", "");
        foreach (var measure in report.Measures)
        {
            table.AddRow(
                ReportTables.Cell(measure.Name),
                ReportTables.Cell(Figure(measure.Value, measure.Unit)),
                ReportTables.Cell((measure.Unit == "s" ? "at most " : "at least ") + Figure(measure.Expected, measure.Unit)),
                measure.Ok ? ReportTables.Cell("ok", Color.Green) : ReportTables.Cell("slow", Color.Yellow));
        }

        console.Write(table);
        foreach (var measure in report.Measures.Where(measure => !measure.Ok))
        {
            console.WriteLine($"{measure.Name}: {measure.Advice}");
        }
    }

    private static string Figure(double value, string unit) => unit switch
    {
        "s" => ReportTables.Time(value),
        "bytes/s" => (value / 1e9).ToString("0.00", CultureInfo.InvariantCulture) + " GB/s",
        _ => value.ToString("#,0", CultureInfo.InvariantCulture) + " " + unit,
    };
}
