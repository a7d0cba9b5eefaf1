namespace Orleans.Joblib.Tests;

/// <summary>A backend that notes what is asked of it and does what its test says; without a word from the test it executes inline.</summary>
internal sealed class ScriptedBackend(int jobs = 2) : ParallelBackend
{
    private readonly Lock _gate = new();
    private readonly List<string> _events = [];
    private readonly List<CallBatch> _batches = [];

    internal Func<CancellationToken, ValueTask<int>>? Configuring { get; set; }

    internal Action? Starting { get; set; }

    internal Action<CallBatch>? Submitting { get; set; }

    internal Func<int>? Sizing { get; set; }

    internal Action? Completed { get; set; }

    internal Action<CallBatch>? Abandoning { get; set; }

    internal Func<ValueTask>? Aborting { get; set; }

    internal Action? Stopping { get; set; }

    internal Func<ValueTask>? Terminating { get; set; }

    internal Func<NestedBackend>? Nesting { get; set; }

    internal Action<IFollowedLoop?>? Following { get; set; }

    internal bool Elsewhere { get; set; }

    internal bool Timeouts { get; set; }

    /// <summary>What was asked, in order; Submit with the number of calls.</summary>
    internal string Events
    {
        get
        {
            lock (_gate)
            {
                return string.Join(" ", _events);
            }
        }
    }

    internal IReadOnlyList<int> BatchSizes
    {
        get
        {
            lock (_gate)
            {
                return [.. _batches.Select(batch => batch.Count)];
            }
        }
    }

    internal IReadOnlyList<CallBatch> Batches
    {
        get
        {
            lock (_gate)
            {
                return [.. _batches];
            }
        }
    }

    public override bool RunsElsewhere => Elsewhere;

    public override bool SupportsTimeout => Timeouts;

    public override int EffectiveNJobs(int nJobs) => jobs;

    public override ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        Note("Configure");
        return Configuring?.Invoke(cancellationToken) ?? base.ConfigureAsync(settings, cancellationToken);
    }

    public override void StartRun()
    {
        Note("Start");
        Starting?.Invoke();
    }

    public override void Submit(CallBatch batch)
    {
        lock (_gate)
        {
            _events.Add($"Submit{batch.Count}");
            _batches.Add(batch);
        }

        if (Submitting is { } submitting)
        {
            submitting(batch);
        }
        else
        {
            batch.Execute();
            batch.Complete();
        }
    }

    public override int ComputeBatchSize() => Sizing?.Invoke() ?? base.ComputeBatchSize();

    public override void BatchCompleted(int batchSize, TimeSpan duration) => Completed?.Invoke();

    public override void Abandon(CallBatch batch)
    {
        Note("Abandon");
        Abandoning?.Invoke(batch);
    }

    public override ValueTask AbortEverythingAsync(bool ensureReady)
    {
        Note("Abort");
        return Aborting?.Invoke() ?? ValueTask.CompletedTask;
    }

    public override void StopRun()
    {
        Note("Stop");
        Stopping?.Invoke();
    }

    public override NestedBackend GetNestedBackend() => Nesting?.Invoke() ?? base.GetNestedBackend();

    public override ValueTask TerminateAsync()
    {
        Note("Terminate");
        return Terminating?.Invoke() ?? ValueTask.CompletedTask;
    }

    internal override void Follow(IFollowedLoop? loop) => Following?.Invoke(loop);

    private void Note(string what)
    {
        lock (_gate)
        {
            _events.Add(what);
        }
    }
}
