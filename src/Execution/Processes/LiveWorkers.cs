namespace Orleans.Joblib;

/// <summary>The worker processes of this program: when it ends in an orderly way it ends them itself, without waiting for them to notice.</summary>
internal static class LiveWorkers
{
    private static readonly HashSet<WorkerProcess> Workers = [];

    static LiveWorkers() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => KillAll();

    /// <summary>Whether this program ends them because it ends itself: their ends are no news.</summary>
    internal static bool AreEnding { get; private set; }

    internal static void Add(WorkerProcess worker)
    {
        lock (Workers)
        {
            Workers.Add(worker);
        }
    }

    internal static void Remove(WorkerProcess worker)
    {
        lock (Workers)
        {
            Workers.Remove(worker);
        }
    }

    /// <summary>Ends them all, and waits until they are gone.</summary>
    internal static void End(TimeSpan patience)
    {
        Task[] endings;
        lock (Workers)
        {
            endings = [.. Workers.Select(worker => worker.Ending)];
        }

        KillAll();
        Task.WaitAll(endings, patience);
    }

    private static void KillAll()
    {
        lock (Workers)
        {
            AreEnding = true;
            foreach (var worker in Workers)
            {
                worker.Kill();
                worker.DeleteFiles();
            }
        }
    }
}
