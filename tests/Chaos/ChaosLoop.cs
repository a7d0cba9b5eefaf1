using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Chaos;

/// <summary>A random loop: made in parallel and in sequence, with the same outcome.</summary>
internal sealed class ChaosLoop
{
    private enum Shape
    {
        List,
        Stream,
        UnorderedStream,
        Outcomes,
    }

    private readonly int _seed;
    private readonly int[] _milliseconds;
    private readonly int[] _failing;
    private readonly BatchSize _batchSize;
    private readonly Shape _shape;

    internal ChaosLoop(Random random)
    {
        _seed = random.Next();
        var longest = random.Next(1, 31);
        _milliseconds = [.. Enumerable.Range(0, random.Next(60, 301)).Select(_ => random.Next(longest))];
        _shape = (Shape)random.Next(4);
        _batchSize = random.Next(3) == 0 ? BatchSize.Auto : BatchSize.FromInt32(random.Next(1, 20));
        _failing = random.Next(4) == 0 ? [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(_milliseconds.Length)).Distinct().Order()] : [];
    }

    internal int Count => _milliseconds.Length;

    public override string ToString() => $"{_shape} of {Count} calls of up to {_milliseconds.Max()} ms, batches {_batchSize}, failing [{string.Join(", ", _failing)}]";

    /// <summary>Runs the loop and checks its outcome against the sequential one.</summary>
    internal async Task RunAsync(ParallelBackend backend, IProgress<RunProgress> progress, CancellationToken cancellationToken)
    {
        using var parallel = Parallel(nJobs: -1, backend: backend, batchSize: _batchSize, progress: progress);
        using var sequential = Parallel(nJobs: 1, backend: "sequential");
        var calls = Calls(_milliseconds);
        var instantCalls = Calls(new int[Count]);
        if (_shape == Shape.Outcomes)
        {
            var expected = sequential.Run(instantCalls.Select(call => call.AsOutcome()), cancellationToken);
            var got = await parallel.RunAsync(calls.Select(call => call.AsOutcome()), cancellationToken);
            Assert.Equal(expected.Select(Text), got.Select(Text));
            return;
        }

        var results = new List<long>();
        if (_failing.Length == 0)
        {
            await FillAsync(parallel, calls, results, cancellationToken);
            var expected = sequential.Run(instantCalls, cancellationToken);
            if (_shape == Shape.UnorderedStream)
            {
                // The values rise with the calls.
                results.Sort();
            }

            Assert.Equal(expected, results);
            return;
        }

        // Which of several failures ends the run is a matter of luck; in sequence it is the first.
        var first = Assert.Throws<UserException>(() => sequential.Run(instantCalls, cancellationToken));
        Assert.Equal(_failing[0], first.GetCallFailure()!.CallIndex);
        var thrown = await Assert.ThrowsAsync<UserException>(() => FillAsync(parallel, calls, results, cancellationToken));
        Assert.Contains(thrown.Code, _failing);
        Assert.Equal(thrown.Code, thrown.GetCallFailure()!.CallIndex);
        var values = Enumerable.Range(0, Count).Select(i => Value(_seed, i)).ToArray();
        if (_shape == Shape.UnorderedStream)
        {
            Assert.Equal(results.Count, results.Distinct().Count());
            Assert.Subset(values.ToHashSet(), results.ToHashSet());
        }
        else
        {
            Assert.Equal(values.Take(results.Count), results);
        }
    }

    private async Task FillAsync(JoblibParallel parallel, IEnumerable<Delayed<long>> calls, List<long> results, CancellationToken cancellationToken)
    {
        if (_shape == Shape.List)
        {
            results.AddRange(await parallel.RunAsync(calls, cancellationToken));
            return;
        }

        var order = _shape == Shape.Stream ? ReturnAs.Generator : ReturnAs.GeneratorUnordered;
        await foreach (var result in parallel.StreamAsync(calls, order, cancellationToken: cancellationToken))
        {
            results.Add(result);
        }
    }

    private IEnumerable<Delayed<long>> Calls(int[] milliseconds)
    {
        var seed = _seed;
        return milliseconds.Select((ms, i) =>
        {
            var fails = _failing.Contains(i);
            return Delayed(() => Call(seed, i, ms, fails));
        });
    }

    private static long Call(int seed, int i, int milliseconds, bool fails)
    {
        Thread.Sleep(milliseconds);
        return fails ? throw new UserException(i, ["chaos"]) : Value(seed, i);
    }

    private static long Value(int seed, int i) => ((long)seed << 20) + ((long)i * i) + i;

    private static string Text(CallOutcome<long> outcome) =>
        outcome.IsSuccess ? $"{outcome.Value}" : $"{outcome.Exception!.GetType()} {outcome.Exception.Message} of call {outcome.Failure!.CallIndex}";
}
