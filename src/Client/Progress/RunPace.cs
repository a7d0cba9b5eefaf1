using System.Globalization;

namespace Orleans.Joblib;

/// <summary>How fast a run goes, from its reports: over the last ten seconds, so that a slow start or a pause does not spoil the time left. Not thread-safe.</summary>
internal sealed class RunPace
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private readonly Queue<RunProgress> _reports = new();

    internal RunProgress Latest { get; private set; }

    /// <summary>Calls a second; 0 until some time has passed.</summary>
    internal double CallsPerSecond { get; private set; }

    /// <summary>Time left; null while the number of calls or the pace is not known.</summary>
    internal TimeSpan? Remaining
    {
        get
        {
            if (Latest.Total is not { } total)
            {
                return null;
            }

            var left = total - Latest.Completed;
            var seconds = left <= 0 ? 0 : CallsPerSecond <= 0 ? double.MaxValue : left / CallsPerSecond;
            return seconds < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
        }
    }

    internal void Take(RunProgress report)
    {
        if (report == Latest)
        {
            // A run that has ended, looked at again.
            return;
        }

        if (report.Elapsed < Latest.Elapsed || report.Completed < Latest.Completed)
        {
            // Another run.
            _reports.Clear();
        }

        Latest = report;
        _reports.Enqueue(report);
        while (_reports.Count > 2 && report.Elapsed - _reports.Peek().Elapsed > Window)
        {
            _reports.Dequeue();
        }

        // Up to ten seconds after its start, and at the first report, a run's pace is that since its start.
        var first = report.Elapsed > Window && _reports.Count > 1 ? _reports.Peek() : default;
        var time = (report.Elapsed - first.Elapsed).TotalSeconds;
        CallsPerSecond = time > 0 ? (report.Completed - first.Completed) / time : 0;
    }

    internal string PaceText => CallsPerSecond switch
    {
        0 => "",
        >= 100 => CallsPerSecond.ToString("#,0", CultureInfo.InvariantCulture) + "/s",
        >= 1 => CallsPerSecond.ToString("0.0", CultureInfo.InvariantCulture) + "/s",
        _ => (CallsPerSecond * 60).ToString("0.0", CultureInfo.InvariantCulture) + "/min",
    };

    internal string CountText => Latest.Total is { } total
        ? string.Create(CultureInfo.InvariantCulture, $"{Latest.Completed:#,0} of {total:#,0}")
        : Latest.Completed.ToString("#,0", CultureInfo.InvariantCulture);

    internal string FailureText => Latest.Failed == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{Latest.Failed:#,0} failed");

    internal string RemainingText => Remaining switch
    {
        null => "",
        { TotalDays: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalDays} d {time:h\\:mm} h left"),
        { TotalHours: >= 1 } time => time.ToString("h\\:mm\\:ss", CultureInfo.InvariantCulture) + " left",
        { } time => time.ToString("m\\:ss", CultureInfo.InvariantCulture) + " left",
    };

    /// <summary>All of it as one line, for outputs that are no terminal.</summary>
    internal string Line => string.Join(", ", new[] { CountText, FailureText, PaceText, RemainingText }.Where(text => text.Length > 0));
}
