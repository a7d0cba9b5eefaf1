using Orleans.Hosting;

namespace Orleans.Joblib.Tests;

/// <summary>Silos as processes, their membership in a Redis of their own; each on a host of its own, as far as the network goes, if asked.</summary>
public sealed class SiloCluster : IAsyncDisposable
{
    private readonly List<SiloProcess> _silos = [];
    private readonly Dictionary<SiloProcess, int> _hosts = [];
    private readonly string[] _arguments;
    private readonly NetworkNamespaces? _network;
    private readonly bool _isGuest;
    private readonly TestCertificates? _certificates;
    private readonly string _clientTls = "";

    private SiloCluster(RedisServer redis, string name, string[] arguments, NetworkNamespaces? network, bool isGuest = false)
    {
        _isGuest = isGuest;
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

    /// <summary>Starts Redis and the silos, and waits until all are ready.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="slots">Workers of each.</param>
    /// <param name="arguments">More of the silo's command line.</param>
    public static Task<SiloCluster> StartAsync(int silos, int slots = 2, params string[] arguments) => StartAsync(silos, slots, null, arguments);

    /// <summary>Starts Redis and the silos, each on a host of its own, and waits until all are ready.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="slots">Workers of each.</param>
    /// <param name="mostHosts">How many silos may be there at once.</param>
    /// <param name="arguments">More of the silo's command line.</param>
    internal static Task<SiloCluster> StartOnHostsAsync(int silos, int slots, int mostHosts, params string[] arguments) =>
        StartAsync(silos, slots, NetworkNamespaces.Create(mostHosts), arguments);

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

        if (!_isGuest)
        {
            await Redis.DisposeAsync();
        }

        _certificates?.Dispose();
        _network?.Dispose();
    }

    /// <summary>Starts the silos of another cluster in a Redis that is there, and stays.</summary>
    /// <param name="redis">Where membership is kept.</param>
    /// <param name="silos">How many.</param>
    /// <param name="slots">Workers of each.</param>
    /// <param name="arguments">More of the silo's command line.</param>
    internal static Task<SiloCluster> StartInAsync(RedisServer redis, int silos, int slots, params string[] arguments) => StartAsync(silos, slots, null, arguments, redis);

    private static async Task<SiloCluster> StartAsync(int silos, int slots, NetworkNamespaces? network, string[] arguments, RedisServer? shared = null)
    {
        var redis = shared ?? await RedisServer.StartAsync(network?.GatewayAddress ?? "127.0.0.1");
        var cluster = new SiloCluster(redis, "c" + Guid.NewGuid().ToString("N")[..8], ["--slots", slots.ToString(), .. arguments], network, shared is not null);
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
