namespace Orleans.Joblib;

/// <summary>One silo's slots. Its key is the silo's address, which also places it.</summary>
[Alias("Orleans.Joblib.ISiloSlotsGrain")]
public interface ISiloSlotsGrain : IGrainWithStringKey
{
    /// <summary>Grants slots to a run, or changes what it has; 0 leaves it only the batches that it has in hand here.</summary>
    /// <param name="run">The run.</param>
    /// <param name="slots">How many.</param>
    /// <param name="lease">They go back when nobody has renewed them for so long.</param>
    /// <param name="observer">Where outcomes go; null when the client takes none.</param>
    /// <param name="innerMaxNumThreads">Threads that one call may use; null for the silo's own rule.</param>
    /// <param name="inProcesses">Whether calls are made in worker processes, whatever the silo's setting.</param>
    /// <param name="runtime">What executes its calls; null for .NET.</param>
    /// <returns>False when the run's client has ended it: a request that was late on its way must not open it again.</returns>
    [Alias("Reserve")]
    Task<bool> ReserveAsync(Guid run, int slots, TimeSpan lease, IRunObserver? observer, int? innerMaxNumThreads, bool inProcesses, RunRuntime? runtime);

    /// <summary>Keeps a run's slots for another lease.</summary>
    [Alias("Renew")]
    Task RenewAsync(Guid run);

    /// <summary>Renews a run's lease here for its client, and tells which of its batches are here and who is in the cluster.</summary>
    [Alias("Check")]
    [ResponseTimeout("00:00:05")]
    Task<SiloCheck> CheckAsync(Guid run);

    /// <summary>Gives batches of a run that no worker has taken up yet back to its client, the last that came: another silo has idle workers for them.</summary>
    /// <param name="run">The run.</param>
    /// <param name="batches">How many at most.</param>
    [Alias("Recall")]
    [ResponseTimeout("00:00:05")]
    Task RecallAsync(Guid run, int batches);

    /// <summary>Takes a run's slots back: its queued batches are dropped, workers that still execute one are given up.</summary>
    /// <param name="run">The run.</param>
    /// <param name="forGood">Whether its client has ended it; else its lease ran out, and the client may open it again.</param>
    [Alias("Release")]
    Task ReleaseAsync(Guid run, bool forGood);

    /// <summary>The silo's workers and what they are doing.</summary>
    [Alias("GetStatus")]
    Task<SiloSlots> GetStatusAsync();
}
