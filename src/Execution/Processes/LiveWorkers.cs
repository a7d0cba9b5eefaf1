namespace Orleans.Joblib;

/// <summary>The worker processes of this program: when it ends in an orderly way it ends them itself, without waiting for them to notice.</summary>
internal static class LiveWorkers
{
    private static readonly HashSet<WorkerProcess> Workers = [];

    static LiveWorkers() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => KillAll();

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

    private static void KillAll()
    {
        lock (Workers)
        {
            foreach (var worker in Workers)
            {
                worker.Kill();
            }
        }
    }
}
