using Spectre.Console;

namespace Orleans.Joblib;

/// <summary>A progress bar for runs: how many calls of how many, how many failed, calls a second, time left. Where the output is no terminal, a line every ten seconds and one at the end.</summary>
/// <remarks>
/// <code>
/// using (var bar = new RunProgressBar("grid search"))
///     scores = Parallel(nJobs: -1, progress: bar).Run(calls);
/// </code>
/// It appears with the first report, costs a run some nanoseconds a call, and may be used for several runs, one after the other. Thread-safe.
/// </remarks>
public sealed class RunProgressBar : IProgress<RunProgress>, IDisposable
{
    private static readonly TimeSpan RefreshPeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LinePeriod = TimeSpan.FromSeconds(10);

    private readonly IAnsiConsole _console;
    private readonly string _description;
    private readonly TimeSpan _linePeriod;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private RunProgress _latest;
    private Thread? _display;
    private bool _disposed;

    /// <summary>A bar that is not visible yet.</summary>
    /// <param name="description">What the run is, before the bar. Default: "calls".</param>
    /// <param name="console">Where it is drawn. Default: standard error, so that standard output stays the program's.</param>
    public RunProgressBar(string? description = null, IAnsiConsole? console = null)
        : this(description, console, LinePeriod)
    {
    }

    internal RunProgressBar(string? description, IAnsiConsole? console, TimeSpan linePeriod)
    {
        _description = description ?? "calls";
        _console = console ?? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        _linePeriod = linePeriod;
    }

    /// <summary>Takes a run's report. The bar shows the latest ten times a second.</summary>
    /// <param name="value">How far the run has come.</param>
    public void Report(RunProgress value)
    {
        lock (_gate)
        {
            _latest = value;
            if (_display is not null || _disposed)
            {
                return;
            }

            _display = new Thread(Display) { Name = "joblib-progress", IsBackground = true };
            _display.Start();
        }
    }

    /// <summary>Draws the last state and leaves it on the screen. Reports that come later are not shown.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _ended.Set();
        _display?.Join();
    }

    private void Display()
    {
        if (!_console.Profile.Capabilities.Interactive || !_console.Profile.Capabilities.Ansi)
        {
            WriteLines();
            return;
        }

        try
        {
            DrawBar();
        }
        catch (InvalidOperationException)
        {
            // Something else is live on this console: it takes one thing at a time.
            WriteLines();
        }
        catch (IOException)
        {
            // The terminal is gone; the run is not.
        }
    }

    private void DrawBar()
    {
        var pace = new RunPace();
        _console.Progress()
            .AutoRefresh(false)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PaceColumn(() => pace.CountText, Style.Plain),
                new PaceColumn(() => pace.FailureText, new Style(Color.Red)),
                new PaceColumn(() => pace.PaceText, new Style(Color.Blue)),
                new PaceColumn(() => pace.RemainingText, new Style(Color.Grey)))
            .Start(context =>
            {
                var task = context.AddTask(Markup.Escape(_description), maxValue: 1);
                bool last;
                do
                {
                    last = _ended.Wait(RefreshPeriod);
                    pace.Take(Latest());
                    task.IsIndeterminate = pace.Latest.Total is null && !last;
                    task.MaxValue = Math.Max(pace.Latest.Total ?? pace.Latest.Completed, 1);
                    task.Value = pace.Latest.Completed;
                    context.Refresh();
                }
                while (!last);
            });
    }

    private void WriteLines()
    {
        var pace = new RunPace();
        bool last;
        try
        {
            do
            {
                last = _ended.Wait(_linePeriod);
                pace.Take(Latest());
                _console.Profile.Out.Writer.WriteLine($"{_description}: {pace.Line}");
                _console.Profile.Out.Writer.Flush();
            }
            while (!last);
        }
        catch (IOException)
        {
            // Nobody reads any more.
        }
    }

    private RunProgress Latest()
    {
        lock (_gate)
        {
            return _latest;
        }
    }
}
