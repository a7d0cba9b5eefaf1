namespace Orleans.Joblib.Tests;

/// <summary>Silos as processes, their membership in a Redis of their own.</summary>
public sealed class SiloCluster : IAsyncDisposable
{
    private readonly List<SiloProcess> _silos = [];
    private readonly string[] _arguments;

    private SiloCluster(RedisServer redis, string name, string[] arguments) => (Redis, Name, _arguments) = (redis, name, arguments);

    public RedisServer Redis { get; }

    public string Name { get; }

    public string Address => Redis.ClusterString(Name);

    /// <summary>Those that were started and not removed, running or not.</summary>
    public IReadOnlyList<SiloProcess> Silos => _silos;

    /// <summary>Starts Redis and the silos, and waits until all are ready.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="slots">Workers of each.</param>
    /// <param name="arguments">More of the silo's command line.</param>
    public static async Task<SiloCluster> StartAsync(int silos, int slots = 2, params string[] arguments)
    {
        var cluster = new SiloCluster(await RedisServer.StartAsync(), "c" + Guid.NewGuid().ToString("N")[..8], ["--slots", slots.ToString(), .. arguments]);
        try
        {
            await cluster.AddAsync(silos);
            return cluster;
        }
        catch (Exception)
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts more silos and waits until they are ready.</summary>
    public async Task<IReadOnlyList<SiloProcess>> AddAsync(int count = 1)
    {
        var started = Enumerable.Range(0, count)
            .Select(_ => SiloProcess.Launch(["--cluster", Address, "--silo-port", "0", "--gateway-port", "0", "--health-port", "0", .. _arguments])).ToArray();
        _silos.AddRange(started);
        await Task.WhenAll(started.Select(silo => silo.ReadyAsync()));
        return started;
    }

    /// <summary>Forgets a silo, which is ended if it runs.</summary>
    public async Task RemoveAsync(SiloProcess silo)
    {
        _silos.Remove(silo);
        await silo.DisposeAsync();
    }

    public Task<JoblibCluster> ConnectAsync(JoblibClusterOptions? options = null) => JoblibCluster.ConnectAsync(Address, options);

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
        {
            await silo.DisposeAsync();
        }

        await Redis.DisposeAsync();
    }
}
