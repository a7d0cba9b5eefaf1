namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>The backend under measurement, ready: for <c>"orleans"</c>, a cluster of one silo in this process.</summary>
internal sealed class BackendSession : IDisposable
{
    internal const string Orleans = "orleans";

    private readonly LocalCluster? _cluster;

    private BackendSession(string name, LocalCluster? cluster)
    {
        Name = name;
        _cluster = cluster;
    }

    internal string Name { get; }

    /// <summary>The way to the cluster's grains; null for other backends.</summary>
    internal IClusterClient? Client => _cluster?.Client;

    /// <param name="name">The backend's name.</param>
    /// <param name="slots">The silo's slots; null for one per core.</param>
    internal static BackendSession Start(string name, int? slots = null)
    {
        if (name != Orleans)
        {
            return new BackendSession(name, null);
        }

        var cluster = LocalCluster.StartAsync(slotsPerSilo: slots).GetAwaiter().GetResult();
        Joblib.RegisterOrleans(cluster.Client);
        return new BackendSession(name, cluster);
    }

    public void Dispose() => _cluster?.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
