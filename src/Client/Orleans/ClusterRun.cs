namespace Orleans.Joblib;

/// <summary>A run that is open on a cluster: its coordinator, its slots, its lease. Lives as long as the backend is configured, so for all runs of a <c>using</c> block.</summary>
/// <remarks>
/// <c>_gate</c> guards the slots and the places. A place is the right to one batch in flight on a slot; each slot has two, so that the next batch is with the
/// silo when the present one ends. A batch that ends frees its place, and the next batch takes it: work goes where work was done.
/// </remarks>
internal sealed class ClusterRun : IBatchCarrier, IAsyncDisposable
{
    private const int PlacesPerSlot = 2;
    private const int RenewalsPerLease = 3;
    private const int MostTries = 3;

    private readonly Lock _gate = new();
    private readonly Queue<Slot> _places = new();
    private readonly IClusterClient _client;
    private ICoordinatorGrain? _coordinator;
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
    }

    internal Guid Id { get; } = Guid.NewGuid();

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
    internal int AdvisedBatchSize => Math.Max(1, Volatile.Read(ref _advisedBatchSize));

    internal static async Task<ClusterRun> OpenAsync(IClusterClient client, RunRequest request, TimeSpan connectTimeout, CancellationToken cancellationToken)
    {
        ClusterRun run;
        try
        {
            run = new ClusterRun(client, request, connectTimeout);
        }
        catch (Exception exception)
        {
            // A client that has been disposed gives no grains.
            throw NotReached(exception, connectTimeout);
        }

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

    /// <summary>Brings a batch to a slot: one with a free place, else each in turn.</summary>
    internal void Send(CallBatch batch)
    {
        batch.Carrier = this;
        LocalBatches.Add(batch);
        JoblibInstruments.PayloadSent(bytes: 0);
        SendToSlot(batch);
    }

    /// <summary>A silo's answer to the batches of one message.</summary>
    internal void Answered(Slot slot, List<CallBatch> batches, BatchAnswer answer)
    {
        switch (answer.Status)
        {
            case BatchStatus.Accepted:
                Volatile.Write(ref _advisedBatchSize, answer.AdvisedBatchSize);
                return;
            case BatchStatus.RunEnded or BatchStatus.Draining:
                // The cluster lost the run (its lease ran out while this process was stopped, say), or the silo is going; what it did not accept was not executed.
                foreach (var batch in batches.Skip(answer.Accepted))
                {
                    FreePlace(batch);
                    if (batch.Ending.IsCancellationRequested || batch.IsCompleted)
                    {
                        batch.Complete();
                    }
                    else if (++batch.Refusals < MostTries)
                    {
                        _ = ResendAsync(batch);
                    }
                    else
                    {
                        batch.Complete(new JoblibException(
                            "run-ended", $"The silo '{slot.Grant.Silo}' has ended the run {batch.Refusals} times. Raise OrleansBackendOptions.Lease if this process was stopped for longer than it."));
                    }
                }

                return;
            default:
                var remote = RemoteSilo(slot.Grant);
                batches.ForEach(batch => batch.Complete(remote));
                return;
        }
    }

    void IBatchCarrier.Ended(CallBatch batch)
    {
        LocalBatches.Remove(batch);
        FreePlace(batch);
    }

    void IBatchCarrier.Dropped(CallBatch batch)
    {
        FreePlace(batch);
        if (batch.Ending.IsCancellationRequested)
        {
            batch.Complete();
        }
        else
        {
            _ = ResendAsync(batch);
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
            if (_coordinator is { } coordinator)
            {
                await coordinator.EndAsync().WaitAsync(_connectTimeout).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            // A cluster that is gone has no run; on any other the lease ends it.
            JoblibLog.RunNotEnded(Joblib.Logger, exception, Id);
        }

        _ending.Dispose();
    }

    private void SendToSlot(CallBatch batch)
    {
        try
        {
            TakePlace(batch).Send(batch);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
        }
    }

    private async Task ResendAsync(CallBatch batch)
    {
        try
        {
            await ReopenAsync().ConfigureAwait(false);
            SendToSlot(batch);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
        }
    }

    private Slot TakePlace(CallBatch batch)
    {
        lock (_gate)
        {
            if (!_places.TryDequeue(out var slot))
            {
                slot = _slots.Length > 0
                    ? _slots[_nextSlot++ % _slots.Length]
                    : throw new JoblibException("no-active-worker", "The cluster has no worker left. Start a silo with AddJoblibWorkers.");
            }

            batch.Slot = slot;
            batch.HoldsPlace = true;
            return slot;
        }
    }

    private void FreePlace(CallBatch batch)
    {
        lock (_gate)
        {
            if (batch.HoldsPlace)
            {
                batch.HoldsPlace = false;
                _places.Enqueue((Slot)batch.Slot!);
            }
        }
    }

    internal static JoblibException NotReached(Exception exception, TimeSpan connectTimeout) => new(
        "cluster-not-reached",
        $"The Orleans cluster did not answer (waited up to '{connectTimeout}'): {exception.Message} "
            + "Check that its silos run and were built with AddJoblibWorkers, and that its client is connected and not disposed.",
        exception);

    private static JoblibException RemoteSilo(SlotGrant slot) => new(
        "silo-in-another-process",
        $"The silo '{slot.Silo}' runs in another process, and this version carries calls within one process only. Use LocalCluster, or host the silo in this process.");

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        RunGrant grant;
        try
        {
            _coordinator ??= _client.GetGrain<ICoordinatorGrain>(Id);
            grant = await _coordinator.StartAsync(_request).WaitAsync(_connectTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectDisposedException exception)
        {
            throw new JoblibException(
                "cluster-not-reached", "The client of the Orleans cluster has been disposed. Start a cluster or client again and pass it to Joblib.RegisterOrleans.", exception);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw NotReached(exception, _connectTimeout);
        }

        if (grant.Protocol != JoblibProtocol.Version)
        {
            throw ClusterConnector.ProtocolMismatch("this run", grant.Protocol);
        }

        TakeSlots(grant);
    }

    private void TakeSlots(RunGrant grant)
    {
        if (grant.Slots.FirstOrDefault(slot => slot.Process != LocalBatches.Process) is { } remote)
        {
            throw RemoteSilo(remote);
        }

        lock (_gate)
        {
            if (_slots.Length == grant.Slots.Length && _slots.Zip(grant.Slots).All(pair => pair.First.Grant == pair.Second))
            {
                return;
            }

            _slots = [.. grant.Slots.Select(slot => new Slot(slot, _client.GetGrain<IBatchGrain>(new SlotKey(Id, slot.Number, slot.Silo).ToString()), this))];
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
                    if (await _coordinator!.RenewAsync().WaitAsync(_request.Lease, _ending.Token).ConfigureAwait(false) is { } grant)
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
