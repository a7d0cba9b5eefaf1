namespace Orleans.Joblib;

/// <summary>The worker processes of this program: when it ends in an orderly way it ends them itself, without waiting for them to notice.</summary>
internal static class LiveWorkers
{
    private static readonly HashSet<WorkerProcess> Workers = [];
    private static volatile bool _programEnds;

    static LiveWorkers() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => KillAll();

    /// <summary>Whether the program is ending: workers are killed, and that is nobody's concern.</summary>
    internal static bool ProgramEnds => _programEnds;

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
        _programEnds = true;
        lock (Workers)
        {
            foreach (var worker in Workers)
            {
                worker.Kill();
            }
        }
    }
}
