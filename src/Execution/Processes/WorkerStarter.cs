using System.Collections.Concurrent;

namespace Orleans.Joblib;

/// <summary>The one thread that starts worker processes, for as long as the program lives: Linux kills a child that asked for it when the thread that started it ends.</summary>
internal static class WorkerStarter
{
    private static readonly BlockingCollection<Action> Starts = Begin();

    internal static void Run(Action start) => Starts.Add(start);

    private static BlockingCollection<Action> Begin()
    {
        var starts = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var start in starts.GetConsumingEnumerable())
            {
                start();
            }
        })
        {
            IsBackground = true,
            Name = "joblib-worker-starter",
        }.UnsafeStart();
        return starts;
    }
}
