namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Bare grain calls, so many at a time.</summary>
internal sealed class EchoCalls(Func<int, Task> call, int lanes)
{
    private int _next;

    internal int[] Run(int calls)
    {
        var results = new int[calls];
        _next = 0;
        Task.WhenAll(Enumerable.Range(0, lanes).Select(lane => Task.Run(() => RunLaneAsync(lane, results)))).GetAwaiter().GetResult();
        return results;
    }

    private async Task RunLaneAsync(int lane, int[] results)
    {
        while (Interlocked.Increment(ref _next) - 1 is var i && i < results.Length)
        {
            await call(lane);
            results[i] = i;
        }
    }
}
