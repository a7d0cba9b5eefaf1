using System.Diagnostics;
using System.Text.Json.Nodes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A run of one call on kept workers, over and over: the round trip. A run's value is the median of its calls.</summary>
internal sealed class LatencyWorkload : IWorkload
{
    // Enough that a run outlasts the runtime's tiers, which change 0.1 s after the last new method.
    private const int Calls = 20_000;
    private const double MicrosecondsPerSecond = 1e6;

    public string Name => "latency";

    public string Unit => "us";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var session = BackendSession.Start(options.Backend);
        var calls = options.Calls ?? Calls;
        var nJobs = options.NJobsOrCores;
        using var parallel = Parallel(nJobs, session.Name, batchSize: options.BatchSize);
        Delayed<int>[] one = [Delayed(() => 1)];
        Func<int>[] function = [() => 1];
        List<IContender> contenders =
        [
            Blocking(session.Name, () => parallel.Run(one), isPeer: false),
            Awaited(session.Name, () => parallel.RunAsync(one), isPeer: false),
        ];
        if (options.Peers)
        {
            if (session.BareCall is { } bareCall)
            {
                contenders.Add(Blocking("grain-call", () => bareCall(0).GetAwaiter().GetResult()));
                contenders.Add(Awaited("grain-call", () => bareCall(0)));
            }

            if (session.Client is { } client)
            {
                // A bare call stays on the thread pool; ours must leave it, as users' calls may run for hours. This peer says what that alone costs.
                var worker = client.GetGrain<IWorkerEchoGrain>(0);
                contenders.Add(Blocking("grain-worker", () => worker.Echo(1).GetAwaiter().GetResult()));
                contenders.Add(Awaited("grain-worker", () => worker.Echo(1)));
            }

            contenders.Add(Blocking(NoOpPeers.Plinq, () => function.AsParallel().AsOrdered().WithDegreeOfParallelism(nJobs).Select(f => f()).ToArray()));
            contenders.Add(Awaited(NoOpPeers.ForEachAsync, () => NoOpPeers.RunForEachAsync(1, nJobs)));
            contenders.AddRange(PythonPeer.All.Select(peer => new PythonPeer(options, Name, peer, nJobs) { Variant = Mode("blocking") }));
        }

        InterleavedRuns.Run(this, options, contenders, lines);

        Contender Blocking(string backend, Action call, bool isPeer = true) => Side(backend, "blocking", isPeer, samples =>
        {
            for (var i = 0; i < samples.Length; i++)
            {
                var began = Stopwatch.GetTimestamp();
                call();
                samples[i] = Microseconds(began);
            }
        });

        Contender Awaited(string backend, Func<Task> call, bool isPeer = true) => Side(backend, "awaited", isPeer, samples => Task.Run(async () =>
        {
            for (var i = 0; i < samples.Length; i++)
            {
                var began = Stopwatch.GetTimestamp();
                await call();
                samples[i] = Microseconds(began);
            }
        }).GetAwaiter().GetResult());

        Contender Side(string backend, string mode, bool isPeer, Action<double[]> fill) => new(backend, () => Trips(calls, fill))
        {
            Variant = Mode(mode),
            IsPeer = isPeer,
            Fields = new JsonObject { ["calls"] = calls, ["n_jobs"] = nJobs },
        };
    }

    private static double Microseconds(long began) => (Stopwatch.GetTimestamp() - began) * (MicrosecondsPerSecond / Stopwatch.Frequency);

    private static KeyValuePair<string, string> Mode(string name) => new("mode", name);

    private static Measurement Trips(int calls, Action<double[]> fill)
    {
        var samples = new double[calls];
        fill(samples);
        return new Measurement(Statistics.Median(samples)) { Details = new Dictionary<string, double> { ["p99"] = Statistics.Percentile(samples, 0.99) } };
    }
}
