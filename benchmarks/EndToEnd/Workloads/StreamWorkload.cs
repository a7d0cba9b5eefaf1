using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>The same calls through <c>Stream</c> and <c>StreamAsync</c> beside <c>Run</c>: what streaming costs, and that memory stays flat.</summary>
internal sealed class StreamWorkload : IWorkload
{
    private const int Calls = 10_000_000;
    private const int CallsBeforeBaseline = 100_000;
    private const int CallsBetweenSamples = 1_000_000;
    private const double BytesPerMebibyte = 1 << 20;

    public string Name => "stream";

    public string Unit => "calls/s";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var calls = options.Calls ?? Calls;
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name, batchSize: options.BatchSize);

        // The streams come before Run: pages that its array left behind would hide their growth.
        List<IContender> contenders =
        [
            Side(session.Name, "stream", () => Read(parallel.Stream(Sequence()), calls, session)),
            Side(session.Name, "stream-async", () => ReadAsync(parallel.StreamAsync(Sequence()), calls, session).GetAwaiter().GetResult()),
            Side(session.Name, "run", () => NoOpWorkload.Rate(() => parallel.Run(Sequence()), calls)),
        ];
        if (options.Peers)
        {
            contenders.Add(Side(NoOpPeers.Plinq, "stream", () => Read(NoOpPeers.PlinqQuery(calls, nJobs), calls, session), isPeer: true));
            contenders.AddRange(PythonPeer.All.Select(peer => new PythonPeer(options, Name, peer, nJobs, Math.Min(calls, 20_000)) { Variant = Api("stream") }));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        IEnumerable<Delayed<int>> Sequence() => Enumerable.Range(0, calls).Select(i => Delayed(() => i));

        Contender Side(string backend, string api, Func<Measurement> measure, bool isPeer = false) => new(backend, measure)
        {
            Variant = Api(api),
            IsPeer = isPeer,
            Fields = new JsonObject { ["calls"] = calls, ["n_jobs"] = nJobs, ["batch_size"] = isPeer ? null : options.BatchSize.ToString() },
        };
    }

    private static KeyValuePair<string, string> Api(string name) => new("api", name);

    private static Measurement Read(IEnumerable<int> results, int calls, BackendSession session)
    {
        var reading = new Reading(session);
        foreach (var result in results)
        {
            reading.Take(result);
        }

        return reading.End(calls);
    }

    private static async Task<Measurement> ReadAsync(IAsyncEnumerable<int> results, int calls, BackendSession session)
    {
        var reading = new Reading(session);
        await foreach (var result in results)
        {
            reading.Take(result);
        }

        return reading.End(calls);
    }

    private sealed class Reading(BackendSession session)
    {
        private readonly long _began = Stopwatch.GetTimestamp();
        private int _read;
        private long _baseline;
        private long _peak;

        internal void Take(int result)
        {
            if (result != _read++)
            {
                throw new InvalidOperationException($"Result {_read - 1} of the stream was '{result}'.");
            }

            if (_read % CallsBetweenSamples == 0)
            {
                _peak = Math.Max(_peak, session.WorkingSet);
            }
            else if (_read == CallsBeforeBaseline)
            {
                _baseline = session.WorkingSet;
            }
        }

        internal Measurement End(int calls)
        {
            var elapsed = Stopwatch.GetElapsedTime(_began);
            if (_read != calls)
            {
                throw new InvalidOperationException($"A stream of {calls} calls gave {_read} results.");
            }

            var worst = _peak == 0 ? [] : new Dictionary<string, double> { ["growth_mib"] = Math.Max(0, _peak - _baseline) / BytesPerMebibyte };
            return new Measurement(calls / elapsed.TotalSeconds) { Worst = worst };
        }
    }
}
