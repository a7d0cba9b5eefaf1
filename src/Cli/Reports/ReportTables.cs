using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orleans.Joblib.Cli;

/// <summary>Reports as tables for people.</summary>
internal static class ReportTables
{
    private const int IdLetters = 8;
    private const int MostNameLetters = 32;
    private const int Wide = 120;
    private const int MostColumnsOfNarrow = 8;

    internal static string Summary(ClusterReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Count(report.Silos.Count, "silo")}, {report.BusySlots} of {Count(report.Slots, "slot")} busy, {Count(report.QueuedBatches, "batch")} queued, {Count(report.Runs.Count(run => run.State == RunState.Running), "open run")}");

    /// <summary>A table of the silos, without the last columns where it would be too wide; and why those that say nothing do.</summary>
    internal static IRenderable Silos(ClusterReport report, int width)
    {
        var table = Plain(width, "SILO", "STATE", "SLOTS", "BUSY", "QUEUED", "RUNS", "MEMORY", "UP", "WORKERS", "CORES", "HOST");
        foreach (var silo in report.Silos)
        {
            Add(
                table,
                Cell(silo.Silo),
                Cell(Lower(silo.State), silo.State switch { SiloState.Open => Color.Green, SiloState.Draining => Color.Yellow, _ => Color.Red }),
                Cell(Number(silo.Slots)),
                Cell(Number(silo.BusySlots)),
                Cell(Number(silo.QueuedBatches)),
                Cell(Number(silo.Runs)),
                Cell(silo.WorkingSetBytes is { } bytes ? Bytes(bytes) : ""),
                Cell(silo.UpSeconds is { } seconds ? Time(seconds) : ""),
                Cell(silo.WorkerKind == "processes" ? Count(silo.WorkerProcesses ?? 0, "process") : silo.WorkerKind ?? ""),
                Cell(Number(silo.Cores)),
                Cell(silo.Machine is null ? "" : $"{silo.Machine}/{silo.ProcessId}"));
        }

        return new Rows([table, .. report.Silos.Where(silo => silo.Fault is not null).Select(silo => Cell($"{silo.Silo}: {silo.Fault}", Color.Red))]);
    }

    /// <summary>A table of runs, without the last columns where it would be too wide; and what ended those that failed.</summary>
    internal static IRenderable Runs(IReadOnlyList<RunReportLine> runs, int width)
    {
        if (runs.Count == 0)
        {
            return new Text("no runs");
        }

        var table = Plain(width, "RUN", "STATE", "CALLS", "RATE", "LEFT", "FAILED", "FOR", "NAME", "SLOTS", "CLIENT");
        foreach (var run in runs)
        {
            Add(
                table,
                Cell(run.Run[..IdLetters]),
                Cell(Lower(run.State), ColorOf(run.State)),
                Cell(Calls(run)),
                Cell(Rate(run.CallsPerSecond)),
                Cell(run.RemainingSeconds is { } left ? Time(left) : ""),
                Cell(Number(run.FailedBatches), run.FailedBatches > 0 ? Color.Red : null),
                Cell(Time(run.ElapsedSeconds)),
                Cell(Short(run.Name)),
                Cell(Number(run.Slots)),
                Cell(run.Client));
        }

        return new Rows([table, .. runs.Where(run => run.Failure is not null).Select(run => Cell($"{run.Run[..IdLetters]}: {Failed(run.Failure!)}", Color.Red))]);
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

    internal static Table Plain(int width, params string[] columns)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var column in width < Wide ? columns.Take(MostColumnsOfNarrow) : columns)
        {
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = true, Padding = new Padding(0, 0, width < Wide ? 1 : 2, 0) });
        }

        return table;
    }

    internal static Text Cell(string text, Color? color = null) => new(text, color is { } c ? new Style(c) : Style.Plain);

    /// <summary>A number with its noun.</summary>
    internal static string Count(long number, string noun) => $"{Number(number)} {noun}{(number == 1 ? "" : noun.EndsWith('h') || noun.EndsWith('s') ? "es" : "s")}";

    private static void Add(Table table, params Text[] cells) => table.AddRow(cells.Take(table.Columns.Count));

    private static string Failed(RunFailure failure) =>
        $"{(failure.CallIndex is { } index ? string.Create(CultureInfo.InvariantCulture, $"call {index}, ") : "")}{(failure.Call is { } call ? call + ": " : "")}{failure.Exception}";

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
