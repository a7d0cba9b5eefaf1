using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A short run beside a hundred times longer one, on workers and batch sizes that are kept: whether a call costs more when there are many.</summary>
internal sealed class LengthWorkload : IWorkload
{
    private const int Short = 100_000;
    private const int Long = 10_000_000;
    private const int ShortRuns = 20;
    private const double NanosecondsPerSecond = 1e9;

    public string Name => "length";

    public string Unit => "ns/call";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name, batchSize: options.BatchSize);
        InterleavedRuns.Run(this, options, [Side(Short, ShortRuns), Side(Long, 1)], lines);

        Contender Side(int calls, int runs) => new(session.Name, () => Measure(calls, runs))
        {
            Variant = new("calls", $"{calls}"),
            Fields = new JsonObject { ["n_jobs"] = nJobs, ["batch_size"] = options.BatchSize.ToString() },
        };

        Measurement Measure(int calls, int runs)
        {
            var costs = new double[runs];
            for (var run = 0; run < runs; run++)
            {
                var began = Stopwatch.GetTimestamp();
                var read = 0;
                foreach (var result in parallel.Stream(Enumerable.Range(0, calls).Select(i => Delayed(() => i))))
                {
                    read += result == read ? 1 : throw new InvalidOperationException($"Result {read} of the stream was '{result}'.");
                }

                costs[run] = Stopwatch.GetElapsedTime(began).TotalSeconds * NanosecondsPerSecond / read;
            }

            return new Measurement(Statistics.Median(costs)) { Worst = new Dictionary<string, double> { ["working_set_mib"] = session.WorkingSet / (double)(1 << 20) } };
        }
    }
}
