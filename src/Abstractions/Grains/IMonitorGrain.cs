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
}
