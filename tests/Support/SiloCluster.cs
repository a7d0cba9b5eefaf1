using Orleans.Hosting;

namespace Orleans.Joblib.Tests;

/// <summary>Silos as processes, their membership in the tests' Redis or one of their own; each on a host of its own, as far as the network goes, if asked.</summary>
public sealed class SiloCluster : IAsyncDisposable
{
    private readonly List<SiloProcess> _silos = [];
    private readonly Dictionary<SiloProcess, int> _hosts = [];
    private readonly string[] _arguments;
    private readonly NetworkNamespaces? _network;
    private readonly bool _ownsRedis;
    private readonly TestCertificates? _certificates;
    private readonly string _clientTls = "";

    private SiloCluster(RedisServer redis, string name, string[] arguments, NetworkNamespaces? network, bool ownsRedis)
    {
        _ownsRedis = ownsRedis;
        Redis = redis;
        Name = name;
        _arguments = arguments;
        _network = network;
        if (network is not null)
        {
            // Off loopback a silo wants to know who comes in.
            _certificates = new TestCertificates();
            _arguments = [.. arguments, .. TestCertificates.Arguments(_certificates.Silo())];
            var client = _certificates.ForClient();
            _clientTls = $"&tls-certificate={Escaped(client.CertificateFile)}&tls-key={Escaped(client.KeyFile)}&tls-ca={Escaped(client.CaFile)}";
        }
    }

    public RedisServer Redis { get; }

    public string Name { get; }

    /// <summary>The cluster string for clients.</summary>
    public string Address => Redis.ClusterString(Name) + _clientTls;

    /// <summary>Those that were started and not removed, running or not.</summary>
    public IReadOnlyList<SiloProcess> Silos => _silos;

    /// <summary>Whether links can be cut.</summary>
    public bool HasHosts => _network is not null;

    /// <summary>Starts silos whose membership is in the Redis of all tests, and waits until they are ready.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="slots">Workers of each.</param>
    /// <param name="arguments">More of the silo's command line.</param>
    public static async Task<SiloCluster> StartAsync(int silos, int slots = 2, params string[] arguments) =>
        await StartAsync(await RedisServer.SharedAsync(), ownsRedis: false, silos, slots, null, arguments);

    /// <summary>Starts a Redis to be hurt and the silos, and waits until all are ready.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="slots">Workers of each.</param>
    /// <param name="arguments">More of the silo's command line.</param>
    public static async Task<SiloCluster> StartWithRedisAsync(int silos, int slots = 2, params string[] arguments) =>
        await StartAsync(await RedisServer.StartAsync(), ownsRedis: true, silos, slots, null, arguments);

    /// <summary>Starts Redis and the silos, each on a host of its own, and waits until all are ready.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="slots">Workers of each.</param>
    /// <param name="mostHosts">How many silos may be there at once.</param>
    /// <param name="arguments">More of the silo's command line.</param>
    internal static async Task<SiloCluster> StartOnHostsAsync(int silos, int slots, int mostHosts, params string[] arguments)
    {
        var network = NetworkNamespaces.Create(mostHosts);
        return await StartAsync(await RedisServer.StartAsync(network.GatewayAddress), ownsRedis: true, silos, slots, network, arguments);
    }

    /// <summary>Starts more silos and waits until they are ready.</summary>
    public async Task<IReadOnlyList<SiloProcess>> AddAsync(int count = 1)
    {
        var started = Enumerable.Range(0, count).Select(_ => Launch()).ToArray();
        await Task.WhenAll(started.Select(silo => silo.ReadyAsync()));
        return started;
    }

    /// <summary>Starts more silos with variables of their own, each by a command that puts it on a host of its own, say; and waits until they are ready.</summary>
    public async Task<IReadOnlyList<SiloProcess>> AddAsync(int count, IReadOnlyDictionary<string, string?>? environment, string[]? prefix, params string[] arguments)
    {
        var started = Enumerable.Range(0, count).Select(_ => Launch(environment, prefix, arguments)).ToArray();
        await Task.WhenAll(started.Select(silo => silo.ReadyAsync()));
        return started;
    }

    /// <summary>Forgets a silo, which is ended if it runs.</summary>
    public async Task RemoveAsync(SiloProcess silo)
    {
        _silos.Remove(silo);
        await silo.DisposeAsync();
        if (_hosts.Remove(silo, out var host))
        {
            _network!.Mend(host);
        }
    }

    /// <summary>Pulls the plug of a silo's host.</summary>
    public void Cut(SiloProcess silo) => _network!.Cut(_hosts[silo]);

    public void Mend(SiloProcess silo) => _network!.Mend(_hosts[silo]);

    /// <remarks>A busy machine may take long to answer; nothing here is about how long that is, unless its options say so.</remarks>
    public Task<JoblibCluster> ConnectAsync(JoblibClusterOptions? options = null) => JoblibCluster.ConnectAsync(Address, options ?? new JoblibClusterOptions { ConnectTimeout = Patience.Limit });

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
        {
            await silo.DisposeAsync();
        }

        if (_ownsRedis)
        {
            await Redis.DisposeAsync();
        }

        _certificates?.Dispose();
        _network?.Dispose();
    }

    private static async Task<SiloCluster> StartAsync(RedisServer redis, bool ownsRedis, int silos, int slots, NetworkNamespaces? network, string[] arguments)
    {
        var cluster = new SiloCluster(redis, "c" + Guid.NewGuid().ToString("N")[..8], ["--slots", slots.ToString(), .. arguments], network, ownsRedis);
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

    private static string Escaped(string? path) => Uri.EscapeDataString(path!);

    private SiloProcess Launch(IReadOnlyDictionary<string, string?>? environment = null, string[]? prefix = null, string[]? more = null)
    {
        string[] arguments = ["--cluster", Redis.ClusterString(Name), "--silo-port", "0", "--gateway-port", "0", "--health-port", "0", .. _arguments, .. more ?? []];
        SiloProcess silo;
        if (_network is null)
        {
            silo = SiloProcess.Launch(arguments, environment, prefix: prefix);
        }
        else
        {
            var host = Enumerable.Range(0, int.MaxValue).First(number => !_hosts.ContainsValue(number));
            silo = SiloProcess.Launch([.. arguments, "--listen-address", _network.Address(host)], environment, _network.Name(host), prefix);
            _hosts.Add(silo, host);
        }

        _silos.Add(silo);
        return silo;
    }
}
