namespace Orleans.Joblib;

/// <summary>One silo, for people who look at the cluster. Its key is the silo's address, which also places it.</summary>
[Alias("Orleans.Joblib.IMonitorGrain")]
public interface IMonitorGrain : IGrainWithStringKey
{
    /// <summary>The silo as it is now.</summary>
    /// <param name="since">The <see cref="SiloView.Now"/> of the look before; 0 for the first.</param>
    [Alias("Look")]
    [ResponseTimeout("00:00:05")]
    Task<SiloView> LookAsync(long since);

    /// <summary>Starts the silo's drain, as SIGTERM does: it takes no new batch, hands queued ones back, and batches in hand end here. Asked again, it goes on.</summary>
    /// <returns>Whether the silo's program stops once it has drained; a silo in a host of somebody else's only drains, until that host stops.</returns>
    [Alias("Drain")]
    [ResponseTimeout("00:00:05")]
    Task<bool> DrainAsync();
}
