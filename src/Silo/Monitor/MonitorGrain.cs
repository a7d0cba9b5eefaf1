using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Orleans.Joblib.Silo;

/// <summary>The way to one silo for those who look at the cluster. It costs nothing while nobody looks.</summary>
[SlotPlacement]
[Reentrant]
internal sealed class MonitorGrain(SiloWorkers workers, TaskStream stream, RunBoard board, SiloDrain drain, SiloProcesses processes, SiloArrays arrays, TimeProvider time, ILogger<MonitorGrain> logger) : Grain, IMonitorGrain
{
    private const int MostTraces = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public async Task<SiloView> LookAsync(long since)
    {
        var open = await Task.WhenAll(board.Open.Select(InfoAsync)).ConfigureAwait(true);
        using var process = Process.GetCurrentProcess();
        var (arrayCount, arrayBytes) = arrays.Count();

        // In this order: a run that ends in between is told at this look, and at the next once more.
        var now = stream.Now;
        var ended = board.EndedSince(since);
        return new SiloView(
            now,
            Environment.MachineName,
            Environment.ProcessId,
            time.GetUtcNow(),
            time.GetUtcNow() - process.StartTime.ToUniversalTime(),
            workers.Status,
            workers.InProcesses,
            processes.Count,
            SiloWorkers.StandardLimit.Threads,
            CpuCounter.Count(onlyPhysicalCores: false),
            process.TotalProcessorTime,
            process.WorkingSet64,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            stream.Running(now),
            stream.EndedSince(since, now, MostTraces),
            stream.EndedCount,
            [.. open.OfType<RunInfo>().ExceptBy(ended.Select(run => run.Run), run => run.Run), .. ended],
            arrayCount,
            arrayBytes);
    }

    public Task<bool> DrainAsync() => Task.FromResult(drain.Start());

    private async Task<RunInfo?> InfoAsync(Guid run)
    {
        try
        {
            return await GrainFactory.GetGrain<ICoordinatorGrain>(run).GetInfoAsync().WaitAsync(Patience, time).ConfigureAwait(true);
        }
        catch (Exception exception)
        {
            SiloLog.RunNotSeen(logger, exception, run);
            return null;
        }
    }
}
