namespace Orleans.Joblib.Tests;

/// <summary>Work for a pool, whose start and end a test can wait for.</summary>
internal sealed class WorkItem(object owner, Action? work = null, int mostAtOnce = int.MaxValue) : IWorkItem
{
    private readonly TaskCompletionSource<Thread> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public object Owner => owner;

    public int MostAtOnce => mostAtOnce;

    /// <summary>Completes with the worker's thread.</summary>
    internal Task<Thread> Started => _started.Task;

    /// <summary>The worker's thread, once the item has started.</summary>
    internal Thread? Worker => _started.Task.IsCompleted ? _started.Task.Result : null;

    internal Task Ended => _ended.Task;

    public void Run(IWorkSharer sharer)
    {
        _started.TrySetResult(Thread.CurrentThread);
        work?.Invoke();
        _ended.TrySetResult();
    }
}
