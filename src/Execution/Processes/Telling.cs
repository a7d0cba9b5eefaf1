namespace Orleans.Joblib;

/// <summary>The workers that have not said yet that they told a run's calls of its end. The pool's lock guards what is mutable.</summary>
/// <param name="run">The run, as it is named there.</param>
internal sealed class Telling(long run)
{
    private readonly HashSet<PoolWorker> _untold = [];
    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal long Run => run;

    /// <summary>Completes when all of them have.</summary>
    internal Task Told => _told.Task;

    internal void Add(PoolWorker worker) => _untold.Add(worker);

    internal void Remove(PoolWorker worker)
    {
        if (_untold.Remove(worker) && _untold.Count == 0)
        {
            _told.TrySetResult();
        }
    }
}
