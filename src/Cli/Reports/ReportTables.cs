using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orleans.Joblib.Cli;

/// <summary>Reports as tables for people.</summary>
internal static class ReportTables
{
    private const int IdLetters = 8;
    private const int MostNameLetters = 48;

    internal static IRenderable Summary(ClusterReport report) => new Text(string.Create(
        CultureInfo.InvariantCulture,
        $"{report.Cluster}: {report.Silos.Count} silo{(report.Silos.Count == 1 ? "" : "s")}, {report.BusySlots} of {report.Slots} slots busy, {report.QueuedBatches} batches queued, {report.Runs.Count(run => run.State == RunState.Running)} open runs"));

    internal static IRenderable Silos(ClusterReport report)
    {
        var table = Plain("SILO", "STATE", "SLOTS", "BUSY", "QUEUED", "RUNS", "WORKERS", "CORES", "MEMORY", "UP", "HOST");
        foreach (var silo in report.Silos)
        {
            if (silo.State == SiloState.Silent)
            {
                table.AddRow(Cell(silo.Silo), Cell("silent", Color.Red), Cell(silo.Fault ?? ""));
                continue;
            }

            table.AddRow(
                Cell(silo.Silo),
                silo.State == SiloState.Open ? Cell("open", Color.Green) : Cell("draining", Color.Yellow),
                Cell(Number(silo.Slots)),
                Cell(Number(silo.BusySlots)),
                Cell(Number(silo.QueuedBatches)),
                Cell(Number(silo.Runs)),
                Cell(silo.WorkerKind == "processes" ? $"{silo.WorkerProcesses} processes" : "threads"),
                Cell(Number(silo.Cores)),
                Cell(Bytes(silo.WorkingSetBytes ?? 0)),
                Cell(Time(silo.UpSeconds ?? 0)),
                Cell($"{silo.Machine}/{silo.ProcessId}"));
        }

        return table;
    }

    internal static IRenderable Runs(IReadOnlyList<RunReportLine> runs)
    {
        if (runs.Count == 0)
        {
            return new Text("no runs");
        }

        var table = Plain("RUN", "STATE", "CALLS", "RATE", "LEFT", "FAILED", "SLOTS", "FOR", "NAME", "CLIENT");
        foreach (var run in runs)
        {
            table.AddRow(
                Cell(run.Run[..IdLetters]),
                Cell(Lower(run.State), ColorOf(run.State)),
                Cell(Calls(run)),
                Cell(Rate(run.CallsPerSecond)),
                Cell(run.RemainingSeconds is { } left ? Time(left) : ""),
                Cell(Number(run.FailedBatches), run.FailedBatches > 0 ? Color.Red : null),
                Cell(Number(run.Slots)),
                Cell(Time(run.ElapsedSeconds)),
                Cell(Short(run.Name)),
                Cell(run.Client));
            if (run.Failure is { } failure)
            {
                table.AddRow(Cell(""), Cell(""), Cell(failure.CallIndex is { } index ? string.Create(CultureInfo.InvariantCulture, $"call {index}") : ""), Cell(""), Cell(""), Cell(""), Cell(""), Cell(""), Cell(failure.Exception, Color.Red));
            }
        }

        return table;
    }

    /// <summary>A run as one line.</summary>
    internal static string Line(RunReportLine run) => string.Join(", ", new[]
    {
        $"{run.Run[..IdLetters]} {Lower(run.State)} {Short(run.Name)}: {Calls(run)} calls",
        run.FailedBatches > 0 ? $"{Number(run.FailedBatches)} batches failed" : "",
        run.State == RunState.Running ? Rate(run.CallsPerSecond) : "",
        run.RemainingSeconds is { } left ? Time(left) + " left" : "",
        run.Failure?.Exception ?? "",
    }.Where(part => part.Length > 0));

    internal static string Lower<TEnum>(TEnum value)
        where TEnum : struct, Enum => value.ToString().ToLowerInvariant();

    internal static string Rate(double perSecond) => perSecond switch
    {
        0 => "",
        >= 100 => perSecond.ToString("#,0", CultureInfo.InvariantCulture) + "/s",
        >= 1 => perSecond.ToString("0.0", CultureInfo.InvariantCulture) + "/s",
        _ => (perSecond * 60).ToString("0.0", CultureInfo.InvariantCulture) + "/min",
    };

    internal static string Bytes(double bytes) => bytes switch
    {
        >= 1L << 30 => (bytes / (1L << 30)).ToString("0.0", CultureInfo.InvariantCulture) + " GiB",
        >= 1L << 20 => (bytes / (1L << 20)).ToString("0", CultureInfo.InvariantCulture) + " MiB",
        _ => (bytes / (1L << 10)).ToString("0", CultureInfo.InvariantCulture) + " KiB",
    };

    internal static string Time(double seconds) => seconds switch
    {
        < 1 => (seconds * 1000).ToString("0.###", CultureInfo.InvariantCulture) + " ms",
        < 60 => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        < 3600 => TimeSpan.FromSeconds(seconds).ToString("m\\:ss", CultureInfo.InvariantCulture),
        < 86400 => TimeSpan.FromSeconds(seconds).ToString("h\\:mm\\:ss", CultureInfo.InvariantCulture),
        _ => (seconds / 86400).ToString("#,0.0", CultureInfo.InvariantCulture) + " d",
    };

    internal static Table Plain(params string[] columns)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        }

        return table;
    }

    internal static Text Cell(string text, Color? color = null) => new(text, color is { } c ? new Style(c) : Style.Plain);

    private static string Calls(RunReportLine run) => run.TotalCalls is { } total ? $"{Number(run.CompletedCalls)} of {Number(total)}" : Number(run.CompletedCalls);

    private static string Number(long? number) => number?.ToString("#,0", CultureInfo.InvariantCulture) ?? "";

    private static string Short(string name) => name.Length <= MostNameLetters ? name : name[..(MostNameLetters - 1)] + "…";

    private static Color? ColorOf(RunState state) => state switch
    {
        RunState.Running => Color.Blue,
        RunState.Completed => Color.Green,
        RunState.Cancelled => Color.Yellow,
        _ => Color.Red,
    };
}
