using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>One run's control. Soft state: if its silo dies the next call brings it up elsewhere, and the client's next renewal seeds it again.</summary>
/// <remarks>Reentrant, so that reports flow while slots are being changed; <c>_changing</c> keeps changes of slots one at a time.</remarks>
[Reentrant]
internal sealed class CoordinatorGrain(IClusterMembershipService members, IOptions<SiloWorkerOptions> workers, TimeProvider time, ILogger<CoordinatorGrain> logger, RunBoard? board = null)
    : Grain, ICoordinatorGrain, IDisposable
{
    private const int RenewalsPerLease = 3;
    private static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(2);

    private readonly MembershipView _membership = new(members);
    private readonly AutoBatcher _batcher = new();
    private readonly CompletionLog _completions = new();
    private readonly SemaphoreSlim _changing = new(1, 1);
    private Dictionary<SiloAddress, SiloSlots> _silos = [];
    private SlotGrant[] _slots = [];
    private RunRequest? _request;
    private IGrainTimer? _renewal;
    private long _renewedAt;
    private bool _endedForGood;
    private DateTimeOffset _startedAt;
    private ClientProgress? _progress;
    private bool _cancelled;

    private Guid Run => this.GetPrimaryKey();

    public async Task<RunGrant> StartAsync(RunRequest request, SlotGrant[] held)
    {
        using var span = JoblibInstruments.StartCoordinate(request.TraceParent, request.RequestedSlots);
        var isNew = _request is null;
        if (isNew)
        {
            _slots = held;
            _startedAt = time.GetUtcNow();
            board?.Opened(Run);
        }

        _request = request;
        _renewedAt = time.GetTimestamp();
        await ChangeSlotsAsync().ConfigureAwait(true);
        if (_request is null)
        {
            // The request was late on its way: the run has been ended.
            return Grant();
        }

        _renewal ??= this.RegisterGrainTimer(
            static (grain, _) => grain.RenewOrEndAsync(),
            this,
            new GrainTimerCreationOptions(request.Lease / RenewalsPerLease, request.Lease / RenewalsPerLease) { KeepAlive = true, Interleave = true });
        span?.SetTag("joblib.slots", _slots.Length);
        if (isNew)
        {
            SiloLog.RunOpened(logger, Run, request.Client, _slots.Length, _silos.Count);
        }

        return Grant();
    }

    public async Task<RunGrant?> RenewAsync(bool replan)
    {
        if (_request is null)
        {
            DeactivateOnIdle();
            return null;
        }

        _renewedAt = time.GetTimestamp();
        if (replan || SilosChanged())
        {
            await ChangeSlotsAsync().ConfigureAwait(true);
        }

        return Grant();
    }

    public Task<int> ReportAsync(BatchReport[] reports)
    {
        if (_request is null)
        {
            // A straggler after the end, or the first word after a loss that the client's renewal will mend: it keeps no grain alive.
            DeactivateOnIdle();
        }

        foreach (var report in reports)
        {
            _completions.Add(report);
            if (!report.Failed)
            {
                _batcher.BatchCompleted(report.Calls, report.Duration);
            }
        }

        return Task.FromResult(_batcher.ComputeBatchSize());
    }

    public Task EndAsync(ClientProgress? last)
    {
        _progress = last ?? _progress;
        return EndAsync(_progress?.Failure is null ? RunState.Completed : RunState.Failed);
    }

    public Task TellAsync(ClientProgress progress)
    {
        _progress = progress;
        if (_request is null)
        {
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    public async Task<bool> CancelAsync(string reason)
    {
        if (_request is not { } request || _cancelled)
        {
            DeactivateOnIdle();
            return false;
        }

        _cancelled = true;
        SiloLog.RunCancelled(logger, Run, reason);
        if (request.Observer is { } observer)
        {
            try
            {
                await observer.CancelledAsync(reason).WaitAsync(CancelPatience, time).ConfigureAwait(true);
            }
            catch (Exception exception)
            {
                // The run ends all the same, and its client finds out when it asks for it.
                SiloLog.ClientNotTold(logger, exception, Run);
            }
        }

        // It has ended at once; silos that do not answer need not be waited for.
        await Task.WhenAny(EndAsync(RunState.Cancelled), Task.Delay(CancelPatience, time)).ConfigureAwait(true);
        return true;
    }

    public Task<RunInfo?> GetInfoAsync()
    {
        if (_request is null)
        {
            DeactivateOnIdle();
            return Task.FromResult<RunInfo?>(null);
        }

        return Task.FromResult<RunInfo?>(Info(_request, RunState.Running));
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        board?.Left(Run, null);
        return Task.CompletedTask;
    }

    public Task<RunStatus> GetStatusAsync() => Task.FromResult(new RunStatus(
        _request is not null,
        _request?.Client ?? "",
        _slots.GroupBy(slot => slot.Silo).ToDictionary(group => group.Key, group => group.Count()),
        _completions.Batches,
        _completions.Calls,
        _completions.FailedBatches,
        _batcher.ComputeBatchSize(),
        _batcher.SmoothedDuration,
        _completions.Recent()));

    private async Task RenewOrEndAsync()
    {
        if (_request is not { } request)
        {
            return;
        }

        if (time.GetElapsedTime(_renewedAt) > request.Lease)
        {
            SiloLog.LeaseExpired(logger, Run, request.Lease);
            await EndAsync(RunState.Lost).ConfigureAwait(true);
            return;
        }

        await Task.WhenAll(_silos.Keys.Select(silo => TellAsync(silo, slots => slots.RenewAsync(Run)))).ConfigureAwait(true);
    }

    private RunInfo Info(RunRequest request, RunState state) => new(
        Run,
        request.Client,
        request.Name,
        state,
        _startedAt,
        state == RunState.Running ? null : time.GetUtcNow(),
        _slots.Length,
        _completions.Batches,
        _completions.Calls,
        _completions.FailedBatches,
        _batcher.ComputeBatchSize(),
        _batcher.SmoothedDuration,
        _progress);

    private async Task EndAsync(RunState state)
    {
        if (_request is { } request)
        {
            // A client whose lease ran out may open its run again.
            var forGood = state != RunState.Lost;
            // One that was opened and never used, after a failure say, is nothing to show.
            var wasUsed = _cancelled || _completions.Batches > 0 || _progress is { Dispatched: > 0 };
            state = _cancelled ? RunState.Cancelled : state;
            board?.Left(Run, wasUsed ? Info(request, state) : null);
            if (wasUsed)
            {
                JoblibInstruments.CoordinatedRunEnded(state.ToString().ToLowerInvariant());
            }

            _request = null;
            _renewal?.Dispose();
            _renewal = null;
            SiloLog.RunEnded(logger, Run, _completions.Calls, _completions.Batches);
            _endedForGood = forGood;
            await ReleaseAsync(forGood).ConfigureAwait(true);
        }

        DeactivateOnIdle();
    }

    private Task ReleaseAsync(bool forGood) => Task.WhenAll(_silos.Keys.Select(silo => TellAsync(silo, slots => slots.ReleaseAsync(Run, forGood))));

    public void Dispose() => _changing.Dispose();

    private bool SilosChanged() => !ActiveSilos().SetEquals(_silos.Keys);

    private HashSet<SiloAddress> ActiveSilos() => [.. _membership.Members().Active];

    private RunGrant Grant() => new(_slots, workers.Value.Protocol, _membership.Members(), HasEnded: _request is null && _endedForGood);

    private async Task ChangeSlotsAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(true);
        try
        {
            var request = _request;
            if (request is null)
            {
                return;
            }

            var known = new Dictionary<SiloAddress, SiloSlots>();
            foreach (var (silo, slots) in await Task.WhenAll(ActiveSilos().Select(StatusAsync)).ConfigureAwait(true))
            {
                // A silo of another version, in the middle of an upgrade say, would misread batches.
                if (slots is not null && slots.Protocol == workers.Value.Protocol && slots.Has(request.Runtime))
                {
                    // What this run holds there counts as free: the plan is made afresh.
                    var held = _slots.Count(slot => slot.Silo.Equals(silo));
                    known[silo] = slots with { Granted = slots.Granted - held };
                }
            }

            // A silo that loses its last slot keeps the run, for the batches that it has in hand: the run's end or lease takes it away.
            var plan = SlotPlan.Make(known, request.RequestedSlots);
            var hasEnded = false;
            await Task.WhenAll(known.Keys.Select(silo => plan.TryGetValue(silo, out var count) || _slots.Any(slot => slot.Silo.Equals(silo))
                ? TellAsync(silo, async slots =>
                {
                    if (!await slots.ReserveAsync(Run, count, request.Lease, request.Observer, request.InnerMaxNumThreads, request.InProcesses, request.Runtime).ConfigureAwait(true))
                    {
                        hasEnded = true;
                    }
                })
                : Task.CompletedTask)).ConfigureAwait(true);
            _silos = known;
            _slots = SlotPlan.Number(plan, _slots, silo => known[silo].Process);
            if (hasEnded)
            {
                await EndAsync(RunState.Completed).ConfigureAwait(true);
            }
            else if (_request is null)
            {
                // It was ended while its slots were being reserved: who has them by now has not been told.
                await ReleaseAsync(_endedForGood).ConfigureAwait(true);
            }

            _slots = _request is null ? [] : _slots;
        }
        finally
        {
            _changing.Release();
        }
    }

    private ISiloSlotsGrain SlotsOf(SiloAddress silo) => GrainFactory.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo));

    private async Task<(SiloAddress Silo, SiloSlots? Slots)> StatusAsync(SiloAddress silo)
    {
        try
        {
            return (silo, await SlotsOf(silo).GetStatusAsync().ConfigureAwait(true));
        }
        catch (Exception exception)
        {
            // A silo without workers, or one that is going: it gives no slots.
            SiloLog.SiloDidNotAnswer(logger, exception, silo.ToString(), Run);
            return (silo, null);
        }
    }

    private async Task TellAsync(SiloAddress silo, Func<ISiloSlotsGrain, Task> tell)
    {
        try
        {
            await tell(SlotsOf(silo)).ConfigureAwait(true);
        }
        catch (Exception exception)
        {
            // Its own lease ends the run there if this did not.
            SiloLog.SiloDidNotAnswer(logger, exception, silo.ToString(), Run);
        }
    }
}
