using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>What the backends with worker processes on this host have in common: <c>"loky"</c> and <c>"multiprocessing"</c>.</summary>
/// <remarks>
/// Calls travel to the workers as bytes (docs/travel.md). Automatic batches follow joblib's rule, 0.2 s to 2 s, and hold 8,192 calls and about 8 MiB at most. A worker that dies is noticed
/// at once: its calls are made again, one by one, and one that kills three workers ends the run with <see cref="TerminatedWorkerException"/>. A call that overruns its
/// timeout is stopped, with its process. So is what runs when a run is cancelled or fails.
/// </remarks>
// Its arrays are those of one run, whose end disposes them.
#pragma warning disable CA1001
public abstract class ProcessBackend : AutoBatchingBackend
#pragma warning restore CA1001
{
    private PoolLease? _lease;
    private PayloadCodec? _codec;
    private PayloadBound _bound = new();
    private BackendSettings? _settings;
    private int _nJobs;
    private RunArrays? _arrays;

    private protected ProcessBackend()
    {
    }

    /// <inheritdoc/>
    public override bool SupportsTimeout => true;

    /// <inheritdoc/>
    public override bool SupportsInnerMaxNumThreads => true;

    /// <inheritdoc/>
    public override int EffectiveNJobs(int nJobs) => ProcessNesting.Allow(Name, LocalNJobs(nJobs), NestingLevel ?? 0);

    /// <summary>The pool that it has a share of; null while it is not configured.</summary>
    internal ProcessPool? Pool => _lease?.Pool;

    internal override bool DispatchesElsewhere => true;

    /// <inheritdoc/>
    public override async ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        var nJobs = await base.ConfigureAsync(settings, cancellationToken).ConfigureAwait(false);
        if (nJobs == 1)
        {
            throw new FallbackToBackendException(new SequentialBackend { NestingLevel = NestingLevel });
        }

        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            throw new JoblibException(
                "no-dynamic-code", $"The backend '{Name}' makes code at run time, and this program has that switched off, as file-based programs (dotnet run app.cs) have. Write '#:property PublishAot=false' at its top, or '<PublishAot>false</PublishAot>' in its project.");
        }

        _settings = settings;
        settings.CheckTempFolder();

        _codec = ProcessCode.CurrentCodec();
        _bound = new PayloadBound();
        _nJobs = nJobs;
        _lease = Open(settings, nJobs, _codec);
        return nJobs;
    }

    /// <inheritdoc/>
    public override void StartRun()
    {
        base.StartRun();
        if (_lease is { Pool.IsBroken: true } broken)
        {
            // Kept since a run that failed with its workers: this one may have better luck.
            Close(broken);
            _lease = Open(_settings!, _nJobs, _codec!);
        }

        _arrays = new RunArrays(_settings!.ArraysOfRun());
        _lease?.BeginRun(_arrays.Settings);
    }

    /// <inheritdoc/>
    public override void StopRun()
    {
        EndArrays();
        base.StopRun();
    }

    /// <inheritdoc/>
    public override int ComputeBatchSize() => _bound.Bound(base.ComputeBatchSize());

    /// <inheritdoc/>
    public override void Submit(CallBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (_lease is { } lease)
        {
            lease.Pool.Submit(CallBatchWork.Of(lease, batch, _codec!, _bound, _arrays));
        }
        else
        {
            batch.Complete(new ObjectDisposedException(Name, "The worker processes of this loop have ended."));
        }
    }

    /// <inheritdoc/>
    public override async ValueTask AbortEverythingAsync(bool ensureReady)
    {
        if (_lease is { } lease)
        {
            await lease.AbortAsync().ConfigureAwait(false);
        }

        if (!ensureReady)
        {
            await TerminateAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override ValueTask TerminateAsync()
    {
        EndArrays();
        if (Interlocked.Exchange(ref _lease, null) is { } lease)
        {
            Close(lease);
        }

        return base.TerminateAsync();
    }

    /// <summary>A share of a pool for a configured backend.</summary>
    private protected abstract PoolLease Open(BackendSettings settings, int nJobs, PayloadCodec codec);

    /// <summary>The backend is done with its share.</summary>
    private protected abstract void Close(PoolLease lease);

    private void EndArrays()
    {
        _lease?.EndRun();
        Interlocked.Exchange(ref _arrays, null)?.Dispose();
    }

    private protected PoolSettings NewSettings(BackendSettings settings, int nJobs, PayloadCodec codec, ProcessBackendOptions? options) => new()
    {
        Command = WorkerCommand.OfThisProgram,
        Environment = WorkerEnvironment.Of(Name, nJobs, settings.InnerMaxNumThreads),
        Code = ProcessCode.Code,
        ReadInitializerFailure = PoolSettings.FailuresBy(codec.Decoder),
        Initializer = options?.EncodeInitializer(codec.Encoder),
        MaxMemoryGrowth = options?.MaxMemoryGrowth ?? PoolSettings.DefaultMaxMemoryGrowth,
        Loggers = static category => Joblib.LoggerOf(category),
    };
}
