namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Grain calls, so many at a time; every lane has a grain of its own, so that no call waits for another's turn.</summary>
internal sealed class EchoCalls(IClusterClient client, int lanes)
{
    private readonly IEchoGrain[] _grains = [.. Enumerable.Range(0, lanes).Select(lane => client.GetGrain<IEchoGrain>(lane))];
    private int _next;

    internal int[] Run(int calls)
    {
        var results = new int[calls];
        _next = 0;
        Task.WhenAll(_grains.Select(grain => Task.Run(() => RunLaneAsync(grain, results)))).GetAwaiter().GetResult();
        return results;
    }

    private async Task RunLaneAsync(IEchoGrain grain, int[] results)
    {
        while (Interlocked.Increment(ref _next) - 1 is var i && i < results.Length)
        {
            results[i] = await grain.Echo(i);
        }
    }
}
