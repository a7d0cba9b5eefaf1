using System.Diagnostics;
using System.Globalization;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Starts a program and reads the one line that it prints with its first result: when it entered its code and when each stage ended.</summary>
/// <remarks>The stages are in nanoseconds of the machine's monotonic clock, which all processes share, so that the parent can subtract its own time.</remarks>
internal static class FirstResult
{
    private const string Prefix = "first-result";
    private const string NextPrefix = "next-results";
    private const double NanosecondsPerSecond = 1e9;

    internal static Measurement Measure(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        var began = Now();
        using var process = Process.Start(start)!;
        var line = process.StandardOutput.ReadLine();
        var seen = Now();
        var next = process.StandardOutput.ReadLine();
        var done = Now();
        process.WaitForExit();
        var gone = Now();
        if (line?.Split(' ') is not [Prefix, var entered, var ready, var registered, var ended])
        {
            throw new SkippedException($"{Path.GetFileName(start.FileName)} ended with code {process.ExitCode} and printed '{line}'");
        }

        var details = new Dictionary<string, double>
        {
            ["runtime_start_s"] = Seconds(began, At(entered)),
            ["cluster_start_s"] = Seconds(At(entered), At(ready)),
            ["register_s"] = Seconds(At(ready), At(registered)),
            ["first_run_s"] = Seconds(At(registered), At(ended)),
            ["print_s"] = Seconds(At(ended), seen),
            ["exit_s"] = Seconds(done, gone),
        };
        if (next?.Split(' ') is [NextPrefix, var again, var second, var third])
        {
            details["second_run_s"] = Seconds(At(again), At(second));
            details["third_run_s"] = Seconds(At(second), At(third));
        }

        return new Measurement(Seconds(began, seen)) { Details = details };
    }

    private static double Now() => Stopwatch.GetTimestamp() * (NanosecondsPerSecond / Stopwatch.Frequency);

    private static double At(string nanoseconds) => double.Parse(nanoseconds, CultureInfo.InvariantCulture);

    private static double Seconds(double from, double to) => (to - from) / NanosecondsPerSecond;
}
