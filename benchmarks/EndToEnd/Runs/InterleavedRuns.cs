using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Runs all sides in turn (ours, peer, ours, peer …), so that a slow minute of the machine hits all of them, and writes a line for each.</summary>
internal static class InterleavedRuns
{
    internal static void Run(IWorkload workload, BenchmarkOptions options, IReadOnlyList<IContender> contenders, ResultLines lines)
    {
        var sides = new List<Side>();
        try
        {
            foreach (var contender in contenders)
            {
                try
                {
                    contender.Prepare();
                    sides.Add(new Side(contender));
                }
                catch (SkippedException skipped)
                {
                    lines.WriteSkipped(workload.Name, contender, skipped.Message);
                }
            }

            for (var run = -options.WarmUps; run < options.Runs; run++)
            {
                for (var i = 0; i < sides.Count; i++)
                {
                    // The last run's garbage is not this one's work.
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    var began = Stopwatch.GetTimestamp();
                    try
                    {
                        var measurement = sides[i].Contender.Measure();
                        sides[i].Add(measurement, isWarmUp: run < 0);
                        Note(workload, sides[i], run, $"{measurement.Value:G5} {workload.Unit}", began);
                    }
                    catch (SkippedException skipped)
                    {
                        lines.WriteSkipped(workload.Name, sides[i].Contender, skipped.Message);
                        sides.RemoveAt(i--);
                    }
                }
            }

            foreach (var side in sides)
            {
                lines.Write(workload, side.Contender, side.Values, side.ExtraFields(side.Contender.IsPeer ? [] : sides.Where(other => other != side)));
            }
        }
        finally
        {
            foreach (var contender in contenders)
            {
                contender.Dispose();
            }
        }
    }

    private static void Note(IWorkload workload, Side side, int run, string value, long began) => Console.Error.WriteLine(
        $"{workload.Name} {side.Name} {(run < 0 ? "warm-up" : $"run {run + 1}")}: {value} ({Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s)");

    private sealed class Side(IContender contender)
    {
        private readonly List<Measurement> _measured = [];
        private readonly Dictionary<string, double> _worst = [];
        private double? _first;

        internal IContender Contender => contender;

        internal string Name => contender.Variant is { } variant ? $"{contender.Backend}/{variant.Value}" : contender.Backend;

        internal IReadOnlyList<double> Values => [.. _measured.Select(measurement => measurement.Value)];

        internal void Add(Measurement measurement, bool isWarmUp)
        {
            foreach (var (name, value) in measurement.Worst)
            {
                _worst[name] = Math.Max(value, _worst.GetValueOrDefault(name, double.MinValue));
            }

            if (isWarmUp)
            {
                _first ??= measurement.Value;
            }
            else
            {
                _measured.Add(measurement);
            }
        }

        internal JsonObject ExtraFields(IEnumerable<Side> others)
        {
            var fields = new JsonObject();

            // What a program sees that runs the loop once: code that is not compiled yet, batches that have not grown yet.
            if (_first is { } first)
            {
                fields["first"] = ResultLines.Number(first);
            }

            foreach (var name in _measured.SelectMany(measurement => measurement.Details.Keys).Distinct())
            {
                fields[name] = ResultLines.Number(Statistics.Median([.. _measured.Select(measurement => measurement.Details[name])]));
            }

            foreach (var (name, value) in _worst)
            {
                fields[name] = ResultLines.Number(value);
            }

            // Run by run: neighbours in time share the machine's mood.
            var ratios = new JsonObject();
            foreach (var other in others)
            {
                ratios[other.Name] = ResultLines.Number(Statistics.Median([.. Values.Zip(other.Values, (ours, theirs) => ours / theirs)]));
            }

            if (ratios.Count > 0)
            {
                fields["ratio"] = ratios;
            }

            return fields;
        }
    }
}
