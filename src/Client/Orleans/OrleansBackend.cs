using System.Diagnostics;
using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>Backend <c>"orleans"</c>: calls run in the worker pools of a cluster's silos.</summary>
/// <remarks>
/// nJobs counts slots; −1, the default, is every worker of the cluster, and more than there are gives as many as there are. Automatic batches follow the
/// cluster's own measurements over all silos (joblib's 0.2 s to 2 s, at most 8,192 calls). <c>nJobs: 1</c> means the calling thread, as everywhere; a run that gets
/// a single slot goes to the cluster all the same. Options: <see cref="OrleansBackendOptions"/>.
/// </remarks>
public sealed class OrleansBackend : ParallelBackend
{
    private readonly Func<CancellationToken, ValueTask<IClusterClient>> _connect;
    private readonly OrleansBackendOptions _standardOptions;
    private OrleansBackendOptions _options;
    private RunRequest? _request;
    private BackendSettings? _settings;
    private SharedBlobs? _blobs;

    // Guards the run and its turn, which goes up whenever one ends: a run that was being opened meanwhile is nobody's.
    private readonly Lock _gate = new();
    private ClusterRun? _run;
    private long _turn;

    /// <summary>A backend on a cluster.</summary>
    /// <param name="client">A connected client; the backend does not own it.</param>
    /// <param name="standardOptions">What holds for loops that give no options of their own. Default: the options' own defaults.</param>
    public OrleansBackend(IClusterClient client, OrleansBackendOptions? standardOptions = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        _connect = _ => ValueTask.FromResult(client);
        _options = _standardOptions = standardOptions ?? new OrleansBackendOptions();
    }

    /// <summary>A backend on a cluster that is connected when a loop first needs it.</summary>
    internal OrleansBackend(Func<CancellationToken, ValueTask<IClusterClient>> connect)
    {
        _connect = connect;
        _options = _standardOptions = new OrleansBackendOptions();
    }

    /// <inheritdoc/>
    public override string Name => BackendRegistry.Orleans;

    /// <inheritdoc/>
    public override int DefaultNJobs => -1;

    /// <inheritdoc/>
    public override bool SupportsTimeout => true;

    /// <inheritdoc/>
    public override bool RunsElsewhere => true;

    /// <inheritdoc/>
    public override bool SupportsInnerMaxNumThreads => true;

    internal ClusterRun? Run => _run;

    /// <inheritdoc/>
    public override int EffectiveNJobs(int nJobs)
    {
        var slots = Task.Run(CountSlotsAsync).GetAwaiter().GetResult();
        return slots == 0 ? 0 : SlotsFor(nJobs, slots);
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _options = settings.Options switch
        {
            null => _standardOptions,
            OrleansBackendOptions options => options,
            var other => throw new ArgumentException($"The backend 'orleans' does not know '{other.GetType().Name}'. Pass OrleansBackendOptions as backendOptions."),
        };
        if (WorkerOrigin.Backend == WorkerOrigin.OfSilo)
        {
            // A call on a thread of a silo lends its slot out while it waits. From here nobody can, and loops that wait for each other's slots would wait for ever.
            throw new JoblibException(
                "cluster-loop-in-process", "A loop on a cluster was started inside a call that runs in a worker process of a silo. Use 'loky', 'threading' or 'sequential' there, or run the outer loop on the silos' threads.");
        }

        _settings = settings;
        _blobs = ClientBlobs.Of(_options.Blobs);
        settings.CheckTempFolder();

        var requested = settings.NJobs switch
        {
            RunRequest.AllSlots or > 0 => settings.NJobs,
            var less => SlotsFor(less, await CountSlotsAsync().ConfigureAwait(false)),
        };
        var client = await _connect(cancellationToken).ConfigureAwait(false);
        _request = new RunRequest(
            requested,
            _options.Lease,
            $"{Environment.MachineName}/{Environment.ProcessId}",
            InnerMaxNumThreads: settings.InnerMaxNumThreads,
            InProcesses: settings.Prefer == Prefer.Processes,
            Name: AppDomain.CurrentDomain.FriendlyName,
            TraceParent: Activity.Current is { IdFormat: ActivityIdFormat.W3C, Recorded: true } run ? run.Id : null);
        _run = await ClusterRun.OpenAsync(client, _request, _options, cancellationToken).ConfigureAwait(false);
        var slots = _run.SlotCount;
        if (slots == 0)
        {
            await TerminateAsync().ConfigureAwait(false);
        }

        return slots;
    }

    /// <inheritdoc/>
    public override void StartRun()
    {
        base.StartRun();
        _run?.BeginLoop(_settings!.ArraysOfRun(), _blobs);
    }

    /// <inheritdoc/>
    public override void StopRun()
    {
        _run?.EndLoop();
        base.StopRun();
    }

    /// <inheritdoc/>
    public override void Submit(CallBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        _run!.Send(batch);
    }

    /// <inheritdoc/>
    public override int ComputeBatchSize() => _run!.AdvisedBatchSize;

    /// <inheritdoc/>
    public override void Abandon(CallBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Slot is Slot slot)
        {
            _ = AbandonAsync(slot, batch.Handle);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask AbortEverythingAsync(bool ensureReady)
    {
        var turn = await EndRunAsync().ConfigureAwait(false);
        if (!ensureReady)
        {
            return;
        }

        var client = await _connect(CancellationToken.None).ConfigureAwait(false);
        var run = await ClusterRun.OpenAsync(client, _request!, _options, CancellationToken.None).ConfigureAwait(false);
        lock (_gate)
        {
            if (_turn == turn)
            {
                _run = run;
                return;
            }
        }

        // The loop did not wait so long, and has given the backend up: a run that nobody ends would renew its lease for as long as this process lives.
        await run.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask TerminateAsync() => await EndRunAsync().ConfigureAwait(false);

    internal override void Follow(IFollowedLoop? loop) => _run?.Follow(loop);

    private async ValueTask<long> EndRunAsync()
    {
        ClusterRun? run;
        long turn;
        lock (_gate)
        {
            run = _run;
            _run = null;
            turn = ++_turn;
        }

        if (run is not null)
        {
            await run.DisposeAsync().ConfigureAwait(false);
        }

        return turn;
    }

    private static int SlotsFor(int nJobs, int slots) => nJobs > 0 ? Math.Min(nJobs, slots) : Math.Max(slots + 1 + nJobs, 1);

    private static async Task AbandonAsync(Slot slot, long handle)
    {
        try
        {
            await slot.Grain.AbandonAsync(handle).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            JoblibLog.AbortFailed(Joblib.Logger, exception, BackendRegistry.Orleans);
        }
    }

    private async Task<int> CountSlotsAsync()
    {
        var client = await _connect(CancellationToken.None).ConfigureAwait(false);
        try
        {
            var management = client.GetGrain<IManagementGrain>(0);
            var hosts = await management.GetHosts(onlyActive: true).WaitAsync(_options.ConnectTimeout).ConfigureAwait(false);
            var counts = await Task.WhenAll(hosts.Keys.Select(CountAsync)).ConfigureAwait(false);
            return counts.Sum();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw ClusterRun.NotReached(exception, _options.ConnectTimeout);
        }

        async Task<int> CountAsync(SiloAddress silo)
        {
            try
            {
                return (await client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo)).GetStatusAsync().WaitAsync(_options.ConnectTimeout).ConfigureAwait(false)).Size;
            }
            catch (Exception exception) when (exception is OrleansException or TimeoutException)
            {
                // A silo without workers, or one that is going: it has no slots.
                return 0;
            }
        }
    }
}
