namespace Orleans.Joblib;

/// <summary>A place where calls run. Derive from it and register it by name to add one; the built-in backends are written the same way.</summary>
/// <remarks>
/// <para>Life: <see cref="ConfigureAsync"/>, then any number of runs (<see cref="StartRun"/>, <see cref="Submit"/> per batch, <see cref="StopRun"/>), then
/// <see cref="TerminateAsync"/>. One run at a time uses a backend object. A run that fails calls <see cref="AbortEverythingAsync"/> before <see cref="StopRun"/>.</para>
/// <para>Threads: <see cref="Submit"/>, <see cref="ComputeBatchSize"/>, <see cref="BatchCompleted"/> and <see cref="Abandon"/> are called from any thread, also at once.</para>
/// <para>joblib 1.6: <c>ParallelBackendBase</c>. Its traps cannot be sprung here: completing inline does not recurse, a throwing <see cref="Submit"/> fails the run
/// instead of hanging it, a second completion is ignored.</para>
/// </remarks>
public abstract class ParallelBackend
{
    private int _entered;

    /// <summary>How many parallel loops stand around the one that uses this backend; set by the library when it makes the backend.</summary>
    public int? NestingLevel { get; set; }

    /// <summary>The name in progress lines, errors and metrics. Default: the type's name.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>nJobs when nobody said. Default: 1; a cluster says −1.</summary>
    public virtual int DefaultNJobs => 1;

    /// <summary>Whether workers are threads of this process. Default: false.</summary>
    public virtual bool UsesThreads => false;

    /// <summary>Whether calls see and change this process's objects. Default: false.</summary>
    public virtual bool SupportsSharedMemory => false;

    /// <summary>Whether an overdue call's worker can be given up (<see cref="Abandon"/>). Default: false; a run with a timeout then warns and runs without.</summary>
    public virtual bool SupportsTimeout => false;

    /// <summary>Whether results may be streamed. Default: true.</summary>
    public virtual bool SupportsReturnGenerator => true;

    /// <summary>Whether <c>innerMaxNumThreads</c> is applied to workers. Default: false; asking for it is then an error.</summary>
    public virtual bool SupportsInnerMaxNumThreads => false;

    /// <summary>Whether a run that gets a single worker still leaves the calling thread. Default: false, as in joblib. <c>nJobs: 1</c> never leaves it.</summary>
    public virtual bool RunsElsewhere => false;

    /// <summary>The jobs that a request amounts to here.</summary>
    /// <param name="nJobs">1 or more, or negative for all but (−1 − n) workers; never 0.</param>
    /// <returns>1 or more; 0 when there is no worker.</returns>
    public abstract int EffectiveNJobs(int nJobs);

    /// <summary>Gets workers ready.</summary>
    /// <param name="settings">What the run was asked for.</param>
    /// <param name="cancellationToken">Cancelled when the caller gives up.</param>
    /// <returns>The jobs that will run at once; 0 fails the run with "no active worker".</returns>
    /// <exception cref="FallbackToBackendException">Another backend serves this request better; it is configured instead.</exception>
    public virtual ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return new(EffectiveNJobs(settings.NJobs));
    }

    /// <summary>A run begins.</summary>
    public virtual void StartRun()
    {
    }

    /// <summary>Takes a batch. Must not block: arrange for <see cref="CallBatch.Execute"/> and then <see cref="CallBatch.Complete"/> somewhere, and return.</summary>
    /// <param name="batch">The calls. More batches than jobs are in flight, twice as many by default: the backend sees to it that only nJobs execute at once.</param>
    public abstract void Submit(CallBatch batch);

    /// <summary>Calls that the next batch should have when the caller left it to the backend. Default: 1.</summary>
    public virtual int ComputeBatchSize() => 1;

    /// <summary>A batch was executed without a failure.</summary>
    /// <param name="batchSize">Its calls.</param>
    /// <param name="duration">From its dispatch to its completion, queueing included.</param>
    public virtual void BatchCompleted(int batchSize, TimeSpan duration)
    {
    }

    /// <summary>A call of this batch overran its timeout: give up its worker and let another take its place. Never called without <see cref="SupportsTimeout"/>.</summary>
    /// <param name="batch">The batch; it counts as completed. If the failure is kept as a value, its remaining calls come back in another; else the run fails.</param>
    public virtual void Abandon(CallBatch batch)
    {
    }

    /// <summary>Stops all work now: queued batches are dropped, workers in the middle of one are given up.</summary>
    /// <param name="ensureReady">Whether the backend will be used again.</param>
    public virtual ValueTask AbortEverythingAsync(bool ensureReady) => ValueTask.CompletedTask;

    /// <summary>A run has ended, well or not.</summary>
    public virtual void StopRun()
    {
    }

    /// <summary>The backend for parallel loops inside calls, and their nJobs. Default: threads at the first level, sequential below; nJobs 1 unless the loop says.</summary>
    public virtual NestedBackend GetNestedBackend() => NestedBackend.At((NestingLevel ?? 0) + 1);

    /// <summary>Releases workers. The backend may be configured again afterwards.</summary>
    public virtual ValueTask TerminateAsync() => ValueTask.CompletedTask;

    /// <summary>joblib's rule for local workers: a negative number counts back from the cores (inside a call, from its thread cap), and never below 1.</summary>
    protected static int LocalNJobs(int nJobs) => nJobs > 0 ? nJobs : Math.Max(ThreadCap.Cores(onlyPhysicalCores: false) + 1 + nJobs, 1);

    /// <summary>Whether the threads that complete batches must not read the user's sequence: they are the only ones that hear of a worker.</summary>
    internal virtual bool DispatchesElsewhere => false;

    /// <summary>Whether its workers are for one <c>Parallel</c> alone: no other takes them over.</summary>
    internal virtual bool IsOneLoopsOwn => false;

    /// <summary>Another <c>Parallel</c> takes the configured backend over: what it learned of the calls of the one before is not about its calls.</summary>
    internal virtual void Forget()
    {
    }

    /// <summary>The automatic size that batches really get: the one that the backend computed, or less.</summary>
    internal virtual void Dispatches(int batchSize)
    {
    }

    /// <summary>A loop begins whose progress the backend may pass on; null when it has ended.</summary>
    internal virtual void Follow(IFollowedLoop? loop)
    {
    }

    /// <summary>The last step of the automatic batch size that nobody has taken yet, for the progress lines.</summary>
    internal virtual BatchSizeChange? TakeBatchSizeChange() => null;

    /// <summary>A backend object that a program passes to two loops can serve one at a time.</summary>
    internal void Enter()
    {
        if (Interlocked.Exchange(ref _entered, 1) != 0)
        {
            throw new InvalidOperationException(
                $"This object of backend '{Name}' serves another loop. Pass each loop its own, or register a factory and pass its name.");
        }
    }

    internal void Leave() => Volatile.Write(ref _entered, 0);
}
