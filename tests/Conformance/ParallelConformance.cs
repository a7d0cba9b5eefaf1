using System.Runtime.CompilerServices;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>What every backend must do. A backend's test class derives from it, sealed, and says what the backend can.</summary>
/// <remarks>
/// One file per subject. All runs ask for two jobs, so that a backend needs two workers and no more. Its calls can travel: they capture values, and meet each other and their test in a
/// <see cref="Rendezvous"/>. A new backend takes a sealed class with its <see cref="Traits"/>, and a fixture or module initializer that registers its name, if it is not registered already
/// (<see cref="ThreadingConformanceTests"/>, <see cref="OrleansRemoteConformanceTests"/>).
/// </remarks>
public abstract partial class ParallelConformance
{
    protected const int NJobs = 2;

    protected abstract BackendTraits Traits { get; }

    private JoblibParallel NewParallel(
        PreDispatch? preDispatch = null, BatchSize? batchSize = null, TimeSpan? timeout = null, IProgress<RunProgress>? progress = null, Require? require = null) =>
        Parallel(NJobs, Traits.Name, timeout: timeout, preDispatch: preDispatch, batchSize: batchSize, require: require, progress: progress);

    private static IEnumerable<Delayed<int>> Squares(int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return Delayed(Square, i);
        }
    }

    private static int Square(int number) => unchecked(number * number);

    private static async IAsyncEnumerable<Delayed<T>> Slowly<T>(IEnumerable<Delayed<T>> calls, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var call in calls)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return call;
        }
    }

    private static async Task<List<T>> Read<T>(IAsyncEnumerable<T> stream)
    {
        var read = new List<T>();
        await foreach (var result in stream)
        {
            read.Add(result);
        }

        return read;
    }
}
