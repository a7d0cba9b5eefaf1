using Orleans.Runtime;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>The backend under measurement, ready: for <c>"orleans"</c>, a cluster of one silo in this process; for <c>"orleans-remote"</c>, silos in processes of their own; for <c>"orleans-processes"</c>, such silos whose workers are processes too.</summary>
internal sealed class BackendSession : IDisposable
{
    internal const string Orleans = "orleans";
    internal const string OrleansRemote = "orleans-remote";
    internal const string OrleansProcesses = "orleans-processes";

    private readonly LocalCluster? _cluster;
    private readonly SiloProcesses? _silos;
    private readonly JoblibCluster? _connection;

    private BackendSession(string name, LocalCluster? cluster = null, SiloProcesses? silos = null, JoblibCluster? connection = null)
    {
        Name = name;
        _cluster = cluster;
        _silos = silos;
        _connection = connection;
    }

    internal string Name { get; }

    /// <summary>The least grain call that there is on the way that calls of this backend take: lane numbers tell grains apart. Null for other backends.</summary>
    internal Func<int, Task>? BareCall { get; private init; }

    /// <summary>The way to the cluster's grains where they are in this process; null for other backends.</summary>
    internal IClusterClient? Client => _cluster?.Client;

    /// <summary>What this process and the backend's others hold in memory, in bytes.</summary>
    internal long WorkingSet => Environment.WorkingSet + (_silos?.WorkingSet ?? 0);

    /// <param name="name">The backend's name.</param>
    /// <param name="slots">Each silo's slots; null for one per core.</param>
    /// <param name="silos">Silos in processes of their own.</param>
    internal static BackendSession Start(string name, int? slots = null, int silos = 1)
    {
        if (name == Orleans)
        {
            var cluster = LocalCluster.StartAsync(slotsPerSilo: slots).GetAwaiter().GetResult();
            Joblib.RegisterOrleans(cluster.Client);
            var client = cluster.Client;
            return new BackendSession(name, cluster) { BareCall = lane => client.GetGrain<IEchoGrain>(lane).Echo(1).AsTask() };
        }

        if (name is OrleansRemote or OrleansProcesses)
        {
            var processes = SiloProcesses.Start(silos, slots ?? Environment.ProcessorCount, inProcesses: name == OrleansProcesses);
            var connection = JoblibCluster.ConnectAsync(processes.Address).GetAwaiter().GetResult();
            Joblib.RegisterParallelBackend(name, () => new OrleansBackend(connection.Client));
            var management = connection.Client.GetGrain<IManagementGrain>(0);
            var silo = management.GetHosts(onlyActive: true).GetAwaiter().GetResult().Keys.First();
            var grain = connection.Client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo));
            var nobody = Guid.NewGuid();
            return new BackendSession(name, silos: processes, connection: connection) { BareCall = _ => grain.RenewAsync(nobody) };
        }

        return new BackendSession(name);
    }

    public void Dispose()
    {
        _connection?.Dispose();
        _silos?.Dispose();
        _cluster?.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
