namespace Orleans.Joblib.Tests;

/// <summary>A third party's backend, written with the public API alone: batches run on .NET's thread pool, nJobs of them at once.</summary>
public class ThreadPoolBackend : ParallelBackend
{
    private readonly Lock _gate = new();
    private readonly Queue<CallBatch> _waiting = new();
    private int _freePlaces;

    public override bool UsesThreads => true;

    public override bool SupportsSharedMemory => true;

    public override int EffectiveNJobs(int nJobs) => LocalNJobs(nJobs);

    public override async ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        // Asynchronous in earnest, as a backend that connects to something is.
        await Task.Yield();
        return _freePlaces = await base.ConfigureAsync(settings, cancellationToken);
    }

    public override void Submit(CallBatch batch)
    {
        lock (_gate)
        {
            if (_freePlaces == 0)
            {
                _waiting.Enqueue(batch);
                return;
            }

            _freePlaces--;
        }

        Start(batch);
    }

    private void Start(CallBatch batch) => ThreadPool.UnsafeQueueUserWorkItem(
        static state =>
        {
            state.batch.Execute();
            state.backend.Next();
            state.batch.Complete();
        },
        (backend: this, batch),
        preferLocal: false);

    private void Next()
    {
        CallBatch? next;
        lock (_gate)
        {
            if (!_waiting.TryDequeue(out next))
            {
                _freePlaces++;
                return;
            }
        }

        Start(next);
    }
}
