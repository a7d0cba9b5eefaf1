using System.Reflection;

namespace Orleans.Joblib;

/// <summary>The thread pool, with a number of threads that <c>Parallel.For</c>, <c>ForEach</c> and <c>Invoke</c> inside a call see and keep to: what is left of the call's cap.</summary>
/// <remarks>
/// <para>These loops go by the default scheduler unless they are told otherwise, whatever scheduler surrounds them, and their options are one private object. While
/// workers work, that object names this scheduler. Outside of calls it sets no limit and is the thread pool as ever.</para>
/// <para>It holds nothing back: a task that waited for its turn could be what the running ones wait for. It only tells those who ask. Loops with options of their own,
/// <c>Task.Run</c> and PLINQ go past it.</para>
/// </remarks>
internal sealed class CallTaskScheduler : TaskScheduler
{
    private static readonly CallTaskScheduler Instance = new();
    private static readonly ParallelOptions? DefaultOptions =
        typeof(System.Threading.Tasks.Parallel).GetField("s_defaultParallelOptions", BindingFlags.Static | BindingFlags.NonPublic)?.GetValue(null) as ParallelOptions;

    private CallTaskScheduler()
    {
    }

    public override int MaximumConcurrencyLevel => CallThreads.Current?.Available ?? int.MaxValue;

    /// <summary>Makes the loops ask, or not any more.</summary>
    internal static void Install(bool install)
    {
        if (DefaultOptions is { } options)
        {
            options.TaskScheduler = install ? Instance : Default;
        }
    }

    protected override void QueueTask(Task task)
    {
        var threads = CallThreads.Current;
        threads?.Started();
        if (task.CreationOptions.HasFlag(TaskCreationOptions.LongRunning))
        {
            new Thread(static work => ((Work)work!).Run()) { IsBackground = true }.UnsafeStart(new Work(this, task, threads));
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static work => work.Run(), new Work(this, task, threads), preferLocal: !task.CreationOptions.HasFlag(TaskCreationOptions.PreferFairness));
        }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    private readonly record struct Work(CallTaskScheduler Scheduler, Task Task, CallThreads? Threads)
    {
        internal void Run()
        {
            Scheduler.TryExecuteTask(Task);
            Threads?.Ended();
        }
    }
}
