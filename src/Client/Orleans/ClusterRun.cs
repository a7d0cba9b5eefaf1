namespace Orleans.Joblib;

/// <summary>A run that is open on a cluster: its coordinator, its slots, its lease. Lives as long as the backend is configured, so for all runs of a <c>using</c> block.</summary>
/// <remarks>
/// <c>_gate</c> guards the slots and the places. A place is the right to one batch in flight on a slot; each slot has two, so that the next batch is with the
/// silo when the present one ends. A batch that ends frees its place, and the next batch takes it: work goes where work was done.
/// </remarks>
internal sealed class ClusterRun : IAsyncDisposable
{
    private const int PlacesPerSlot = 2;
    private const int RenewalsPerLease = 3;

    private readonly Lock _gate = new();
    private readonly Queue<Slot> _places = new();
    private readonly IClusterClient _client;
    private readonly ICoordinatorGrain _coordinator;
    private readonly RunRequest _request;
    private readonly TimeSpan _connectTimeout;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _opening = new(1, 1);
    private Slot[] _slots = [];
    private int _nextSlot;
    private int _advisedBatchSize;

    private ClusterRun(IClusterClient client, RunRequest request, TimeSpan connectTimeout)
    {
        _client = client;
        _request = request;
        _connectTimeout = connectTimeout;
        _coordinator = client.GetGrain<ICoordinatorGrain>(Id);
    }

    internal Guid Id { get; } = Guid.NewGuid();

    internal ICoordinatorGrain Coordinator => _coordinator;

    internal int SlotCount
    {
        get
        {
            lock (_gate)
            {
                return _slots.Length;
            }
        }
    }

    /// <summary>The coordinator's latest advice, in calls.</summary>
    internal int AdvisedBatchSize
    {
        get => Math.Max(1, Volatile.Read(ref _advisedBatchSize));
        set => Volatile.Write(ref _advisedBatchSize, value);
    }

    internal static async Task<ClusterRun> OpenAsync(IClusterClient client, RunRequest request, TimeSpan connectTimeout, CancellationToken cancellationToken)
    {
        var run = new ClusterRun(client, request, connectTimeout);
        try
        {
            await run.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            await run.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        _ = run.RenewAsync();
        return run;
    }

    /// <summary>The slot that the next batch goes to: one with a free place, else each in turn.</summary>
    internal Slot Take()
    {
        lock (_gate)
        {
            return _places.TryDequeue(out var slot) ? slot : _slots[_nextSlot++ % _slots.Length];
        }
    }

    internal void Free(Slot slot)
    {
        lock (_gate)
        {
            _places.Enqueue(slot);
        }
    }

    /// <summary>Opens the run again after the cluster has lost it.</summary>
    internal async Task ReopenAsync()
    {
        await _opening.WaitAsync(_ending.Token).ConfigureAwait(false);
        try
        {
            await StartAsync(_ending.Token).ConfigureAwait(false);
        }
        finally
        {
            _opening.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        try
        {
            await _coordinator.EndAsync().WaitAsync(_connectTimeout).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // The lease ends the run if this message did not arrive.
            JoblibLog.RunNotEnded(Joblib.Logger, exception, Id);
        }

        _ending.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        RunGrant grant;
        try
        {
            grant = await _coordinator.StartAsync(_request).WaitAsync(_connectTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new JoblibException(
                "cluster-not-reached",
                $"The Orleans cluster did not open a run within '{_connectTimeout}': {exception.Message} Check that its silos run and were built with AddJoblibWorkers.",
                exception);
        }

        TakeSlots(grant);
    }

    private void TakeSlots(RunGrant grant)
    {
        if (grant.Slots.FirstOrDefault(slot => slot.Process != LocalBatches.Process) is { } remote)
        {
            throw new JoblibException(
                "silo-in-another-process",
                $"The silo '{remote.Silo}' runs in another process, and this version carries calls within one process only. Use LocalCluster, or host the silo in this process.");
        }

        lock (_gate)
        {
            if (_slots.Length == grant.Slots.Length && _slots.Zip(grant.Slots).All(pair => pair.First.Grant == pair.Second))
            {
                return;
            }

            _slots = [.. grant.Slots.Select(slot => new Slot(slot, _client.GetGrain<IBatchGrain>(new SlotKey(Id, slot.Number, slot.Silo).ToString())))];
            _places.Clear();
            for (var i = 0; i < PlacesPerSlot; i++)
            {
                foreach (var slot in _slots)
                {
                    _places.Enqueue(slot);
                }
            }
        }
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(_request.Lease / RenewalsPerLease);
        try
        {
            while (await timer.WaitForNextTickAsync(_ending.Token).ConfigureAwait(false))
            {
                try
                {
                    if (await _coordinator.RenewAsync().WaitAsync(_request.Lease, _ending.Token).ConfigureAwait(false) is { } grant)
                    {
                        TakeSlots(grant);
                    }
                    else
                    {
                        await ReopenAsync().ConfigureAwait(false);
                    }
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    JoblibLog.RenewFailed(Joblib.Logger, exception, Id);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
