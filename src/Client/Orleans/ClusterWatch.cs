using System.Diagnostics;
using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>Keeps a run's lease, and watches over what it has with silos of other processes, for as long as the run is open.</summary>
/// <remarks>
/// Orleans tells an external client nothing of a silo that died with its call (only silos break outstanding calls), so the client asks: every silo that has
/// batches of this run, twice a second, which it has and whom it sees in the cluster. It needs no coordinator for that, so losing one loses no time.
/// The same look finds batches that wait at a busy silo while another is idle, and has them come back.
/// </remarks>
internal sealed class ClusterWatch(ClusterRun run, IClusterClient client, CancellationToken ending) : IDisposable
{
    private const int RenewalsPerLease = 3;
    private static readonly TimeSpan CheckPeriod = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _renew = new(0, 1);
    private long _heardAt = Stopwatch.GetTimestamp();

    internal async Task RunAsync()
    {
        try
        {
            await Task.WhenAll(RenewAsync(), CheckAsync(), TellProgressAsync()).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => _renew.Dispose();

    private async Task RenewAsync()
    {
        while (true)
        {
            var replan = await _renew.WaitAsync(run.Lease / RenewalsPerLease, ending).ConfigureAwait(false);
            try
            {
                await run.RenewAsync(replan, run.IsRemote ? Patience : run.Lease).ConfigureAwait(false);
                Heard();
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !ending.IsCancellationRequested)
            {
                JoblibLog.RenewFailed(Joblib.Logger, exception, run.Id);
                if (run.IsRemote)
                {
                    // The coordinator's silo may be the one that died: it comes up on another, and must be told what it lost.
                    await Task.Delay(CheckPeriod, ending).ConfigureAwait(false);
                    Wake();
                }
            }
        }
    }

    private async Task TellProgressAsync()
    {
        using var timer = new PeriodicTimer(ProgressPeriod);
        while (await timer.WaitForNextTickAsync(ending).ConfigureAwait(false))
        {
            try
            {
                await run.TellProgressAsync(Patience).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !ending.IsCancellationRequested)
            {
                // The next one says as much.
                JoblibLog.ProgressNotTold(Joblib.Logger, exception, run.Id);
            }
        }
    }

    private async Task CheckAsync()
    {
        using var timer = new PeriodicTimer(CheckPeriod);
        while (await timer.WaitForNextTickAsync(ending).ConfigureAwait(false))
        {
            var silos = run.WatchedSilos();
            var looks = await Task.WhenAll(silos.Select(CheckAsync)).ConfigureAwait(false);
            if (looks.Any(look => look.Changed) || run.WantsReplan || run.SlotCount == 0)
            {
                Wake();
            }

            var checks = looks.Where(look => look.Check is not null).ToDictionary(look => look.Silo, look => look.Check!);
            foreach (var (silo, batches) in run.ToRecall(checks))
            {
                // The next look does not wait for it.
                _ = RecallAsync(silo, batches);
            }

            if (!run.IsRemote)
            {
                // All in this process, where batches bring their outcomes themselves.
                continue;
            }

            if (Stopwatch.GetElapsedTime(_heardAt) > run.Lease)
            {
                Heard();
                run.GiveUp(new JoblibException(
                    "cluster-lost",
                    $"No silo of the cluster has answered for '{run.Lease}', the run's lease. Check that silos run and can be reached from here; OrleansBackendOptions.Lease says how long to wait."));
            }
        }
    }

    private async Task<(SiloAddress Silo, SiloCheck? Check, bool Changed)> CheckAsync(SiloAddress silo)
    {
        var askedAt = Stopwatch.GetTimestamp();
        try
        {
            var check = await client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo)).CheckAsync(run.Id).WaitAsync(Patience, ending).ConfigureAwait(false);
            Heard();
            return (silo, check, run.TakeCheck(silo, check, askedAt));
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !ending.IsCancellationRequested)
        {
            // Whether it has left is for the others to say.
            JoblibLog.SiloDidNotAnswer(Joblib.Logger, exception, silo.ToString(), run.Id);
            return (silo, null, false);
        }
    }

    private async Task RecallAsync(SiloAddress silo, int batches)
    {
        try
        {
            JoblibLog.BatchesRecalled(Joblib.Logger, batches, run.Id, silo.ToString());
            await client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo)).RecallAsync(run.Id, batches).WaitAsync(Patience, ending).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // They stay where they are until the next look.
            JoblibLog.SiloDidNotAnswer(Joblib.Logger, exception, silo.ToString(), run.Id);
        }
    }

    private void Heard() => Volatile.Write(ref _heardAt, Stopwatch.GetTimestamp());

    private void Wake()
    {
        try
        {
            _renew.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is about to renew.
        }
    }
}
