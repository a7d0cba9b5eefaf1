namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>.NET's own ways to make the same long call many times on n threads; the first is what the machine itself allows.</summary>
internal static class EqualCallsPeers
{
    /// <summary>n threads with an equal share of the calls each, and nothing else.</summary>
    internal const string Threads = "threads";

    internal static void RunThreads(Action call, int calls, int nJobs)
    {
        var left = calls;
        Thread[] threads = [.. Enumerable.Range(0, nJobs).Select(_ => new Thread(() =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                call();
            }
        }))];
        foreach (var thread in threads)
        {
            thread.Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }
    }

    internal static void RunPlinq(Action call, int calls, int nJobs) => WithThreads(nJobs, () => Enumerable.Range(0, calls)
        .AsParallel()
        .AsOrdered()
        .WithDegreeOfParallelism(nJobs)
        .Select(i =>
        {
            call();
            return i;
        })
        .ToArray());

    internal static void RunForEachAsync(Action call, int calls, int nJobs) => WithThreads(nJobs, () => System.Threading.Tasks.Parallel.ForEachAsync(
        Enumerable.Range(0, calls),
        new ParallelOptions { MaxDegreeOfParallelism = nJobs },
        (_, _) =>
        {
            call();
            return ValueTask.CompletedTask;
        }).GetAwaiter().GetResult());

    // The thread pool adds threads about one a second when calls block: give the peer the threads that it was asked to use.
    private static void WithThreads(int nJobs, Action run)
    {
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, nJobs + 1), ports);
        try
        {
            run();
        }
        finally
        {
            ThreadPool.SetMinThreads(workers, ports);
        }
    }
}
