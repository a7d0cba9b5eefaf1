using System.Diagnostics;
using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>A run that is open on a cluster: its coordinator, its slots, its lease. Lives as long as the backend is configured, so for all runs of a <c>using</c> block.</summary>
/// <remarks>
/// <c>_gate</c> guards slots, places and waiting batches. A place is the right to one batch in flight on a slot; each slot has two, so that the next batch is with
/// the silo when the present one ends. A batch that ends frees its place, and the next batch takes it: work goes where work was done. Batches for other processes
/// that find no place wait here, so that a silo which joins, or is faster than others, gets its share; short ones may overtake the places, to hide the network.
/// </remarks>
internal sealed class ClusterRun : IBatchCarrier, IAsyncDisposable
{
    private const int PlacesPerSlot = 2;
    private const int MostTries = 3;
    private const int MostDeaths = 3;

    // A refusal comes at once: a silo that has just died, say, which the others still find in their directory.
    private static readonly TimeSpan RefusalPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan OpenPause = TimeSpan.FromMilliseconds(200);

    // A batch shorter than this is over before the next could come over the network: as many as these then travel at once.
    private static readonly TimeSpan ShortBatch = TimeSpan.FromMilliseconds(5);
    private const int MostInHandPerSlot = 128;
    private const int SlotsCompared = 4;

    // A batch shorter than this is over before a second message about it would have come.
    private static readonly TimeSpan AwaitedBatch = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly SlotPlaces _places = new(PlacesPerSlot);
    private readonly Queue<CallBatch> _waiting = new();
    private readonly List<Slot> _closed = [];

    // Workers that had nothing to do at the watch's last look, for batches that other silos give back.
    private Dictionary<SiloAddress, int> _idle = [];

    // Silos that others see in the cluster and this process has not reached for a lease: their slots are not used until they answer.
    private readonly HashSet<SiloAddress> _unreached = [];
    private readonly IClusterClient _client;
    private readonly ClientCode _code;
    private volatile RunRequest _request;
    private readonly TimeSpan _connectTimeout;
    private readonly bool _verifiesTravel;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly PayloadBound _payloads = new();
    private readonly OutcomeReceiver _receiver;
    private readonly LoopProgress _progress = new();
    private volatile JoblibException? _cancelled;
    private readonly IRunObserver _observer;
    private ICoordinatorGrain? _coordinator;
    private Task _lookingOver = Task.CompletedTask;
    private Slot[] _slots = [];
    private int _nextSlot;
    private int _advisedBatchSize;
    private long _memberVersion = long.MinValue;
    private volatile bool _short;
    private volatile bool _replan;

    private ClusterRun(IClusterClient client, RunRequest request, OrleansBackendOptions options)
    {
        _client = client;
        _code = ClientCode.Of(client);
        _connectTimeout = options.ConnectTimeout;
        _verifiesTravel = options.VerifyTravel;
        _receiver = new OutcomeReceiver(this);
        _observer = client.CreateObjectReference<IRunObserver>(_receiver);
        _request = request with { Observer = _observer };
    }

    internal Guid Id { get; } = Guid.NewGuid();

    /// <summary>The large arrays of the present loop; null when they travel with their calls.</summary>
    internal ClusterArrays? Arrays { get; private set; }

    internal TimeSpan Lease => _request.Lease;

    /// <summary>Whether silos need this program's code for its calls; another runtime's travel with their payloads.</summary>
    internal bool ShipsCode => _request.Runtime is null;

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

    /// <summary>Whether some slot is in another process.</summary>
    internal bool IsRemote { get; private set; }

    /// <summary>Whether batches have become so short that a silo may answer with the outcome.</summary>
    internal bool AwaitsOutcomes { get; private set; }

    /// <summary>Whether a silo was met that takes no more batches: the slots are to be granted afresh.</summary>
    internal bool WantsReplan => _replan;

    /// <summary>The coordinator's latest advice, in calls.</summary>
    internal int AdvisedBatchSize => _payloads.Bound(Math.Max(1, Volatile.Read(ref _advisedBatchSize)));

    internal static async Task<ClusterRun> OpenAsync(IClusterClient client, RunRequest request, OrleansBackendOptions options, CancellationToken cancellationToken)
    {
        ClusterRun run;
        try
        {
            run = new ClusterRun(client, request, options);
        }
        catch (Exception exception)
        {
            // A client that has been disposed gives no grains.
            throw NotReached(exception, options.ConnectTimeout);
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

        _ = new ClusterWatch(run, client, run._ending.Token).RunAsync();
        return run;
    }

    /// <summary>A loop begins: what comes now is its.</summary>
    internal void BeginLoop(ArraySettings settings, SharedBlobs? blobs)
    {
        EndLoop();
        Arrays = settings.MaxBytes is null ? null : new ClusterArrays(_client, _code.ArrayHosts, Id, settings, blobs);
    }

    /// <summary>The loop has ended, with all of its batches.</summary>
    internal void EndLoop()
    {
        var arrays = Arrays;
        Arrays = null;
        arrays?.Dispose();
    }

    /// <summary>Brings a batch to a slot, or keeps it until one has a place.</summary>
    /// <exception cref="CannotTravelException">A call holds what cannot leave this process; nothing was sent.</exception>
    internal void Send(CallBatch batch)
    {
        batch.Carrier = this;
        if (IsRemote)
        {
            batch.Payload = Encode(batch);
        }
        else if (_verifiesTravel)
        {
            batch.Encode(_code.Encoder);
            batch.ResultVerifier = _code.Encoder;
        }

        LocalBatches.Add(batch);
        JoblibInstruments.PayloadSent(batch.Payload?.Length ?? 0);
        Place(batch);
    }

    /// <summary>A batch's calls as bytes.</summary>
    /// <exception cref="CannotTravelException">A call holds what cannot leave this process.</exception>
    /// <exception cref="JoblibException">They are more than a message carries.</exception>
    internal byte[] Encode(CallBatch batch)
    {
        batch.Arrays = Arrays?.NewBatch();
        var payload = batch.Encode(_code.Encoder, batch.Arrays);
        PayloadBound.Check(batch, payload.Length);
        _payloads.Saw(batch.Count, payload.Length + (batch.Arrays?.NewBytes ?? 0));
        return payload;
    }

    /// <summary>A silo took the batches of a message, or some of them.</summary>
    internal void Answered(Slot slot, BatchAnswer answer)
    {
        if (answer.AdvisedBatchSize > 0)
        {
            Volatile.Write(ref _advisedBatchSize, answer.AdvisedBatchSize);
        }

        if (answer.Status == BatchStatus.Draining)
        {
            Close(slot);
        }
    }

    /// <summary>A silo did not take a batch; nothing of it was executed.</summary>
    internal void Refused(Slot slot, CallBatch batch, BatchStatus status)
    {
        if (!TakeFromSlot(batch))
        {
            return;
        }

        switch (status)
        {
            case BatchStatus.Draining:
                Place(batch);
                break;
            case BatchStatus.RunEnded when ++batch.Refusals < MostTries:
                // The cluster lost the run: its lease ran out while this process was stopped, say.
                _ = ReopenAndPlaceAsync(batch);
                break;
            case BatchStatus.RunEnded:
                batch.Complete(new JoblibException(
                    "run-ended", $"The silo '{slot.Grant.Silo}' has ended the run {batch.Refusals} times. Raise OrleansBackendOptions.Lease if this process was stopped for longer than it."));
                break;
            case BatchStatus.ArraysMissing:
                batch.Complete(new JoblibException(
                    "array-gone", $"The silo '{slot.Grant.Silo}' does not keep the large arrays that it was sent. Give it more room for them: --array-store-size, or a larger /dev/shm."));
                break;
            case BatchStatus.CodeMissing:
                batch.Complete(new JoblibException(
                    "code-not-kept", $"The silo '{slot.Grant.Silo}' does not keep the code that it was sent. Give its code cache more room."));
                break;
            default:
                batch.Complete(new JoblibException("silo-in-another-process", $"The silo '{slot.Grant.Silo}' says that it is in another process, and was in this one. Open the run again."));
                break;
        }
    }

    /// <summary>The run's loop begins; null when it has ended.</summary>
    internal void Follow(IFollowedLoop? loop)
    {
        _progress.Follow(loop);
        if (loop?.Span is { } span
            && span.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
            && $"00-{span.TraceId}-{span.SpanId}-01" is var trace
            && trace != _request.TraceParent)
        {
            _request = _request with { TraceParent = trace };
            _lookingOver = LookOverSlotsAsync(_lookingOver);
        }
    }

    /// <summary>Tells the coordinator how far the run has come, if it has come further.</summary>
    internal async Task TellProgressAsync(TimeSpan patience)
    {
        if (_progress.TakeNews() is { } news)
        {
            await _coordinator!.TellAsync(news).WaitAsync(patience, _ending.Token).ConfigureAwait(false);
        }
    }

    /// <summary>The run was cancelled from outside: its loop fails, and so does every batch that is still sent.</summary>
    internal void Cancel(string reason)
    {
        if (_cancelled is not null)
        {
            return;
        }

        _cancelled = new JoblibException("run-cancelled", $"The run '{Id}' was cancelled on the cluster: {reason}");
        GiveUp(_cancelled);
        foreach (var batch in LocalBatches.Of(this))
        {
            batch.Complete(_cancelled);
        }
    }

    /// <summary>A batch cannot be sent, and is not to be tried elsewhere.</summary>
    internal static void Fail(RemoteSlot slot, CallBatch batch, Exception exception)
    {
        if (slot.TryTake(batch))
        {
            batch.Complete(exception);
        }
    }

    /// <summary>Outcomes from silos of other processes. The first of a batch counts.</summary>
    internal void Receive(BatchOutcome[] outcomes)
    {
        var taken = new List<(CallBatch Batch, BatchOutcome Outcome)>(outcomes.Length);
        foreach (var outcome in outcomes)
        {
            // What a silo gave back, and says once more because it was not heard to have been heard, may be with another by now.
            if (LocalBatches.Find(outcome.Handle) is { Slot: RemoteSlot slot } batch
                && ReferenceEquals(batch.Carrier, this)
                && (outcome.GivenBackBy is null || outcome.GivenBackBy.Equals(slot.Grant.Silo))
                && slot.TryTake(batch))
            {
                taken.Add((batch, outcome));
            }
        }

        if (taken.Count > 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Run.Take(work.Outcomes), (Run: this, Outcomes: taken), preferLocal: false);
        }
    }

    /// <summary>An outcome that came with the answer to its batch's message.</summary>
    internal void Receive(RemoteSlot slot, BatchOutcome outcome)
    {
        slot.Acknowledge(outcome.Handle);
        if (LocalBatches.Find(outcome.Handle) is { } batch && slot.TryTake(batch))
        {
            TakeOrFail(batch, outcome);
        }
    }

    /// <summary>A silo was not reached for a whole lease: no more goes there until it answers. What it was asked to execute it did not take, so it counts against no batch.</summary>
    internal void NotReached(Slot slot, IReadOnlyList<CallBatch> batches)
    {
        lock (_gate)
        {
            _unreached.Add(slot.Grant.Silo);
        }

        Close(slot);
        foreach (var batch in batches)
        {
            Resend(batch, died: false);
        }
    }

    /// <summary>A batch is not with its silo any more: it goes to another.</summary>
    internal void Resend(CallBatch batch, bool died)
    {
        if (!TakeFromSlot(batch))
        {
            return;
        }

        if (died && ++batch.Deaths >= MostDeaths)
        {
            batch.Complete(new TerminatedWorkerException(
                $"{MostDeaths} silos died while they had batch {batch.Number} ({batch.Count} calls from call {batch.FirstCallIndex}, {batch.FirstCallText}). "
                    + "Look at these calls: they may end their process (memory, native code, Environment.Exit)."));
        }
        else
        {
            Place(batch);
        }
    }

    void IBatchCarrier.Ended(CallBatch batch)
    {
        LocalBatches.Remove(batch);
        (batch.Slot as Slot)?.Forget(batch);
        batch.Payload = null;
        FreePlace(batch);
    }

    void IBatchCarrier.Dropped(CallBatch batch)
    {
        if (TakeFromSlot(batch))
        {
            _ = ReopenAndPlaceAsync(batch);
        }
    }

    void IBatchCarrier.GivenBack(CallBatch batch) => GivenBack(batch);

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

    /// <summary>A loop that somebody traces finds the run open: the coordinator looks its slots over once more, as part of that trace. The loop does not wait for it.</summary>
    private async Task LookOverSlotsAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            TakeGrant(await _coordinator!.StartAsync(_request, HeldSlots()).WaitAsync(_connectTimeout).ConfigureAwait(false));
        }
        catch (Exception exception) when (MayPass(exception) || exception is ObjectDisposedException)
        {
            // The next renewal sees to what is wrong.
            JoblibLog.RunNotOpenedYet(Joblib.Logger, exception, Id);
        }
    }

    private SlotGrant[] HeldSlots()
    {
        lock (_gate)
        {
            return [.. _slots.Select(slot => slot.Grant)];
        }
    }

    /// <summary>Renews the lease and takes the slots as they are now.</summary>
    internal async Task RenewAsync(bool replan, TimeSpan patience)
    {
        _replan = false;
        if (await _coordinator!.RenewAsync(replan).WaitAsync(patience, _ending.Token).ConfigureAwait(false) is { } grant)
        {
            TakeGrant(grant);
        }
        else
        {
            await ReopenAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The silos that hold slots or batches of this run; none if that is one silo, of this process.</summary>
    internal IReadOnlyList<SiloAddress> WatchedSilos()
    {
        lock (_gate)
        {
            SiloAddress[] silos = [.. _slots.Concat(_closed).Select(slot => slot.Grant.Silo).Concat(_unreached).Distinct()];
            return silos.Length > 1 || IsRemote ? silos : [];
        }
    }

    /// <summary>Batches that wait at busy silos although others have idle workers for this run: how many each silo should give back.</summary>
    internal IReadOnlyList<(SiloAddress Silo, int Batches)> ToRecall(IReadOnlyDictionary<SiloAddress, SiloCheck> checks)
    {
        var busy = checks.Where(check => check.Value.Queued > 0).OrderByDescending(check => check.Value.Queued).ToArray();
        if (busy.Length == 0)
        {
            return [];
        }

        int idle;
        lock (_gate)
        {
            if (_waiting.Count > 0)
            {
                return [];
            }

            _idle = _slots.Where(slot => slot.FreePlaces == PlacesPerSlot && checks.ContainsKey(slot.Grant.Silo))
                .GroupBy(slot => slot.Grant.Silo)
                .ToDictionary(slots => slots.Key, slots => Math.Min(checks[slots.Key].Idle, slots.Count()));
            idle = _idle.Values.Sum();
        }

        var recalled = new List<(SiloAddress Silo, int Batches)>();
        foreach (var (silo, check) in busy)
        {
            if (idle <= 0)
            {
                break;
            }

            // Short ones that wait for so long are behind a long one, and batches of this process cost nothing to send: all of them may go.
            var batches = _short || !IsRemote ? check.Queued : Math.Min(check.Queued, idle);
            recalled.Add((silo, batches));
            idle -= batches;
        }

        return recalled;
    }

    /// <summary>A silo said which batches it has.</summary>
    /// <returns>Whether silos have come or gone since the last time.</returns>
    internal bool TakeCheck(SiloAddress silo, SiloCheck check, long askedAt)
    {
        var changed = TakeMembers(check.Membership);
        lock (_gate)
        {
            changed |= _unreached.Remove(silo);
        }

        var there = check.InHand.ToHashSet();
        foreach (var slot in RemoteSlotsOf(silo))
        {
            foreach (var batch in slot.TakeLost(there, askedAt))
            {
                JoblibLog.BatchLost(Joblib.Logger, batch.Number, silo.ToString());
                Resend(batch, died: false);
            }
        }

        return changed || !check.KnowsRun;
    }

    /// <summary>A silo gave a batch back because another has nothing to do: there it goes, if that is so still.</summary>
    private void GivenBack(CallBatch batch)
    {
        if (TakeFromSlot(batch))
        {
            Place(batch, isGivenBack: true);
        }
    }

    /// <summary>The newest known members of the cluster: what was with a silo that is not among them goes to others.</summary>
    /// <returns>Whether silos have come or gone since the last time.</returns>
    internal bool TakeMembers(ClusterMembers members)
    {
        List<RemoteSlot> dead;
        lock (_gate)
        {
            if (members.Version <= _memberVersion)
            {
                return false;
            }

            _memberVersion = members.Version;
            dead = [.. _slots.Concat(_closed).OfType<RemoteSlot>().Where(slot => !members.Active.Contains(slot.Grant.Silo))];
            foreach (var slot in dead)
            {
                slot.Closed = true;
            }

            _slots = [.. _slots.Except(dead)];
            _closed.RemoveAll(slot => dead.Contains(slot));
            _unreached.IntersectWith(members.Active);
        }

        foreach (var silo in dead.GroupBy(slot => slot.Grant.Silo))
        {
            CallBatch[] lost = [.. silo.SelectMany(slot => slot.TakeAll())];
            JoblibLog.SiloLeft(Joblib.Logger, silo.Key.ToString(), lost.Length, Id);
            foreach (var batch in lost)
            {
                Resend(batch, died: true);
            }
        }

        return true;
    }

    /// <summary>Fails what is in flight: the cluster has not been heard of for the whole lease.</summary>
    internal void GiveUp(Exception exception)
    {
        foreach (var batch in TakeUnfinished())
        {
            batch.Complete(exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        EndLoop();

        // Nobody waits for what is still out there: it is told below, or by its lease.
        foreach (var batch in TakeUnfinished())
        {
            batch.Complete();
        }

        // Overtaken by the end, it would open the run again.
        await _lookingOver.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            if (_coordinator is { } coordinator)
            {
                await coordinator.EndAsync(_progress.Now).WaitAsync(_connectTimeout).ConfigureAwait(false);
            }

            _client.DeleteObjectReference<IRunObserver>(_observer);
        }
        catch (Exception exception)
        {
            // A cluster that is gone has no run; on any other the lease ends it.
            JoblibLog.RunNotEnded(Joblib.Logger, exception, Id);
        }

        GC.KeepAlive(_receiver);
        _ending.Dispose();
    }

    /// <summary>Whether a call to the cluster may succeed when it is made again: something on its way was cut, stopped or restarted.</summary>
    internal static bool MayPass(Exception exception) => exception is TimeoutException or OrleansException or IOException or System.Net.Sockets.SocketException;

    internal static JoblibException NotReached(Exception exception, TimeSpan connectTimeout) => new(
        "cluster-not-reached",
        $"The Orleans cluster did not answer (waited up to '{connectTimeout}'): {exception.Message} "
            + "Check that its silos run and were built with AddJoblibWorkers, and that its client is connected and not disposed.",
        exception);

    private void Take(List<(CallBatch Batch, BatchOutcome Outcome)> outcomes)
    {
        foreach (var (batch, outcome) in outcomes)
        {
            TakeOrFail(batch, outcome);
        }
    }

    private void TakeOrFail(CallBatch batch, BatchOutcome outcome)
    {
        try
        {
            Take(batch, outcome);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
        }
    }

    private void Take(CallBatch batch, BatchOutcome outcome)
    {
        if (outcome.Status == OutcomeStatus.NotExecuted)
        {
            if (outcome.GivenBackBy is not null)
            {
                GivenBack(batch);
            }
            else
            {
                // By a silo that is going, or that lost the run: its slot is closed by what the silo answers next.
                Resend(batch, died: false);
            }

            return;
        }

        if (outcome.Status == OutcomeStatus.WorkerDied)
        {
            TryAgain(batch, _code.Decoder.DecodeFailure(outcome.Payload).Message);
            return;
        }

        _short = outcome.Executed < ShortBatch;
        AwaitsOutcomes = outcome.Executed < AwaitedBatch;
        batch.StartedAfter(outcome.Queued);
        _payloads.Saw(batch.Count, outcome.Payload.Length);
        switch (outcome.Status)
        {
            case OutcomeStatus.Completed when outcome.Arrays is not null && Arrays is { } arrays:
                _ = TakeAsync(batch, outcome, arrays);
                break;
            case OutcomeStatus.Completed:
                batch.TakeResults(outcome.Payload, _code.Decoder, Arrays?.Results);
                batch.Complete();
                break;
            case OutcomeStatus.Failed:
                batch.TakeFailure(outcome.Payload, _code.Decoder);
                batch.Complete();
                break;
            default:
                batch.Complete(_code.Decoder.DecodeFailure(outcome.Payload));
                break;
        }
    }

    /// <summary>Takes results some of which are with the silo still.</summary>
    private async Task TakeAsync(CallBatch batch, BatchOutcome outcome, ClusterArrays arrays)
    {
        var silo = ((Slot)batch.Slot!).Grant.Silo;
        try
        {
            await arrays.TakeAsync(silo, outcome, (source, files) =>
            {
                batch.TakeArrays(files);
                batch.TakeResults(outcome.Payload, _code.Decoder, source);
            }).ConfigureAwait(false);
            batch.Complete();
        }
        catch (Exception exception) when (MayPass(exception) || exception is JoblibException { HelpLink: "docs/errors.md#array-gone" })
        {
            // The silo died, or ended the run, before all was here: the calls are made again.
            JoblibLog.BatchLost(Joblib.Logger, batch.Number, silo.ToString());
            Resend(batch, died: true);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
        }
    }

    /// <summary>A worker process died with this batch. One call: again, up to the limit. Several: each by itself, so that the culprit shows.</summary>
    private void TryAgain(CallBatch batch, string death)
    {
        JoblibLog.WorkerDied(Joblib.Logger, batch.Number, batch.Count, batch.FirstCallIndex, death);
        if (!TakeFromSlot(batch))
        {
            return;
        }

        if (batch.Count == 1)
        {
            if (++batch.Deaths >= MostDeaths)
            {
                batch.Complete(new TerminatedWorkerException(
                    $"{MostDeaths} worker processes died while they executed call {batch.FirstCallIndex}, {batch.FirstCallText}; the last was {death}. "
                        + "Look at this call: a fault in native code, a stack overflow, memory, Environment.Exit."));
            }
            else
            {
                Place(batch);
            }

            return;
        }

        foreach (var call in batch.SplitCalls() ?? [])
        {
            try
            {
                Send(call);
            }
            catch (Exception exception)
            {
                call.Complete(exception);
            }
        }
    }

    private async Task ReopenAndPlaceAsync(CallBatch batch)
    {
        try
        {
            if (_cancelled is null)
            {
                await ReopenAsync().ConfigureAwait(false);
            }

            Place(batch);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
        }
    }

    private void Place(CallBatch batch, bool isGivenBack = false)
    {
        if (_cancelled is { } cancelled)
        {
            batch.Complete(cancelled);
            return;
        }

        Slot? slot;
        lock (_gate)
        {
            slot = TryTakePlace(batch, isGivenBack);
            if (slot is null)
            {
                _waiting.Enqueue(batch);
                return;
            }
        }

        slot.Send(batch);
    }

    // Called with _gate held.
    private Slot? TryTakePlace(CallBatch batch, bool isGivenBack = false)
    {
        if (((isGivenBack ? TryTakeIdle() : null) ?? _places.TryTake()) is { } free)
        {
            batch.Slot = free;
            batch.HoldsPlace = true;
            return free;
        }

        RemoteSlot? least = null;
        for (var tries = 0; tries < _slots.Length; tries++)
        {
            var slot = _slots[(int)((uint)_nextSlot++ % (uint)_slots.Length)];
            if (slot is LocalSlot)
            {
                batch.Slot = slot;
                return slot;
            }

            // The one with the least to do, of some: a call may turn out long, and what is behind it waits.
            if (_short && slot is RemoteSlot { InHandCount: < MostInHandPerSlot } remote && (least is null || remote.InHandCount < least.InHandCount))
            {
                least = remote;
            }

            if (least is not null && tries >= SlotsCompared - 1)
            {
                break;
            }
        }

        if (least is not null)
        {
            batch.Slot = least;
            return least;
        }

        return null;
    }

    // A place at a silo that the watch's last look found idle.
    private Slot? TryTakeIdle()
    {
        if (_slots.FirstOrDefault(slot => slot.FreePlaces == PlacesPerSlot && _idle.GetValueOrDefault(slot.Grant.Silo) > 0) is not { } idle)
        {
            return null;
        }

        _idle[idle.Grant.Silo]--;
        return _places.Take(idle);
    }

    private void FreePlace(CallBatch batch)
    {
        bool others;
        lock (_gate)
        {
            if (batch.HoldsPlace)
            {
                batch.HoldsPlace = false;
                if (batch.Slot is Slot { Closed: false } slot)
                {
                    _places.Free(slot);
                }
            }

            others = _waiting.Count > 0;
        }

        if (others)
        {
            SendWaiting();
        }
    }

    /// <summary>Takes a batch from its slot.</summary>
    /// <returns>Whether it must go to another; if not, it is completed.</returns>
    private bool TakeFromSlot(CallBatch batch)
    {
        FreePlace(batch);
        if (!batch.Ending.IsCancellationRequested && !batch.IsCompleted)
        {
            return true;
        }

        batch.Complete();
        return false;
    }

    private void SendWaiting()
    {
        while (true)
        {
            CallBatch? batch;
            Slot? slot;
            lock (_gate)
            {
                if (!_waiting.TryPeek(out batch) || (slot = TryTakePlace(batch)) is null)
                {
                    return;
                }

                _waiting.Dequeue();
            }

            slot.Send(batch);
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        RunGrant grant;
        try
        {
            _coordinator ??= _client.GetGrain<ICoordinatorGrain>(Id);
            grant = await AskForSlotsAsync(_coordinator, HeldSlots(), cancellationToken).ConfigureAwait(false);
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

        TakeGrant(grant);
    }

    /// <summary>Asks more than once: the first request may be lost with the gateway that had it. To start a run twice does no harm.</summary>
    private async Task<RunGrant> AskForSlotsAsync(ICoordinatorGrain coordinator, SlotGrant[] held, CancellationToken cancellationToken)
    {
        var beganAt = Stopwatch.GetTimestamp();
        var asked = new List<Task<RunGrant>>();
        for (var tries = 1; ; tries++)
        {
            asked.Add(coordinator.StartAsync(_request, held));
            var left = _connectTimeout - Stopwatch.GetElapsedTime(beganAt);
            var patience = _connectTimeout / MostTries;
            try
            {
                // An earlier request that is answered late is as good.
                var wait = tries >= MostTries || left < patience ? left : patience;
                var first = await Task.WhenAny(asked).WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
                return await first.ConfigureAwait(false);
            }
            catch (Exception exception) when (MayPass(exception) && (tries < MostTries || Stopwatch.GetElapsedTime(beganAt) < RefusalPatience) && Stopwatch.GetElapsedTime(beganAt) < _connectTimeout)
            {
                asked.RemoveAll(task => task.IsFaulted);
                JoblibLog.RunNotOpenedYet(Joblib.Logger, exception, Id);
                await Task.Delay(OpenPause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void TakeGrant(RunGrant grant)
    {
        if (grant.HasEnded)
        {
            Cancel("it has ended there, and what was said about it was lost on its way.");
            return;
        }

        if (grant.Membership is { } members)
        {
            TakeMembers(members);
        }

        lock (_gate)
        {
            var known = _slots.ToDictionary(slot => slot.Grant);
            var added = new List<Slot>();
            var slots = grant.Slots.Where(granted => !_unreached.Contains(granted.Silo)).Select(granted => known.Remove(granted, out var slot) ? slot : Add(granted, added)).ToArray();
            added.ForEach(_places.Add);

            foreach (var slot in known.Values)
            {
                // Its silo gives it to another run, or is going: what is there comes back by itself.
                slot.Closed = true;
                if (slot.IsRemote)
                {
                    _closed.Add(slot);
                }
            }

            _slots = slots;
            // Without slots it stays what it was: the watch goes on.
            IsRemote = slots.Length == 0 ? IsRemote : slots.Any(slot => slot.IsRemote);
            _closed.RemoveAll(slot => slot is RemoteSlot { InHandCount: 0 });
        }

        SendWaiting();
    }

    private Slot Add(SlotGrant grant, List<Slot> added)
    {
        var grain = _client.GetGrain<IBatchGrain>(new SlotKey(Id, grant.Number, grant.Silo).ToString());
        // Processes are elsewhere, even those of a silo of this process.
        Slot slot = grant.Process == LocalBatches.Process && !_request.InProcesses ? new LocalSlot(grant, grain, this) : new RemoteSlot(grant, grain, this, _code);
        added.Add(slot);
        return slot;
    }

    private void Close(Slot slot)
    {
        lock (_gate)
        {
            if (slot.Closed)
            {
                return;
            }

            slot.Closed = true;
            _slots = [.. _slots.Where(other => !ReferenceEquals(other, slot))];
            if (slot.IsRemote)
            {
                _closed.Add(slot);
            }
        }

        JoblibLog.SlotClosed(Joblib.Logger, slot.Grant.Silo.ToString(), Id);
        _replan = true;
    }

    private List<CallBatch> TakeUnfinished()
    {
        lock (_gate)
        {
            List<CallBatch> batches = [.. _waiting, .. _slots.Concat(_closed).OfType<RemoteSlot>().SelectMany(slot => slot.TakeAll())];
            foreach (var slot in _slots)
            {
                slot.Closed = true;
            }

            _slots = [];
            _closed.Clear();
            _waiting.Clear();
            return batches;
        }
    }

    private IReadOnlyList<RemoteSlot> RemoteSlotsOf(SiloAddress silo)
    {
        lock (_gate)
        {
            return [.. _slots.Concat(_closed).OfType<RemoteSlot>().Where(slot => slot.Grant.Silo.Equals(silo))];
        }
    }
}
