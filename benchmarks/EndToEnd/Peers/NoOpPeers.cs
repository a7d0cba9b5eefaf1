namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>.NET's own loops over the same sequence of closures: n functions made lazily, their results in order.</summary>
internal static class NoOpPeers
{
    internal const string Plinq = "plinq";
    internal const string ForEachAsync = "foreachasync";

    internal static ParallelQuery<int> PlinqQuery(int calls, int nJobs) => Enumerable.Range(0, calls)
        .Select(i => (Func<int>)(() => i))
        .AsParallel()
        .AsOrdered()
        .WithDegreeOfParallelism(nJobs)
        .Select(f => f());

    internal static int[] RunPlinq(int calls, int nJobs) => PlinqQuery(calls, nJobs).ToArray();

    internal static async Task<int[]> RunForEachAsync(int calls, int nJobs)
    {
        var results = new int[calls];
        await System.Threading.Tasks.Parallel.ForEachAsync(
            Enumerable.Range(0, calls).Select(i => (Index: i, Function: (Func<int>)(() => i))),
            new ParallelOptions { MaxDegreeOfParallelism = nJobs },
            (call, _) =>
            {
                results[call.Index] = call.Function();
                return ValueTask.CompletedTask;
            });
        return results;
    }
}
