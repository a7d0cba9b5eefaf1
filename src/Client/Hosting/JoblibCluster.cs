using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Orleans.Joblib;

/// <summary>A connection to a cluster of silos in other processes. Give <see cref="Client"/> to <c>Joblib.RegisterOrleans</c>, and <c>backend: "orleans"</c> runs there.</summary>
/// <remarks>Thread-safe. One connection serves any number of loops; it reconnects by itself. Disposing it ends runs in progress.</remarks>
public sealed class JoblibCluster : IAsyncDisposable, IDisposable
{
    private readonly IHost _host;
    private readonly IAsyncDisposable? _redis;
    private int _disposed;

    internal JoblibCluster(ClusterAddress address, IHost host, IAsyncDisposable? redis)
    {
        Address = address.ToString();
        _host = host;
        _redis = redis;
        Client = host.Services.GetRequiredService<IClusterClient>();
    }

    /// <summary>The cluster's client; gone when this object is disposed.</summary>
    public IClusterClient Client { get; }

    /// <summary>Where the cluster is, without user and password.</summary>
    public string Address { get; }

    /// <summary>Connects to a cluster.</summary>
    /// <param name="cluster">
    /// <c>redis://[[user]:password@]host[:6379][,host[:port]…][/database][?cluster=NAME]</c>: the silos that Redis knows (<c>rediss://</c>: TLS to Redis); or <c>host[:30000][,…][?cluster=NAME]</c>:
    /// gateways of silos. NAME's default is <c>joblib</c>. See docs/deploy.md for all parameters.
    /// </param>
    /// <param name="options">Time limit and TLS. Default: see <see cref="JoblibClusterOptions"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection; dispose it.</returns>
    /// <exception cref="ArgumentException">The string is no cluster string. Nothing was tried.</exception>
    /// <exception cref="JoblibException">Redis or the silos were not reached within the time limit, refused this client, or speak another protocol version. Nothing is left open.</exception>
    public static Task<JoblibCluster> ConnectAsync(string cluster, JoblibClusterOptions? options = null, CancellationToken cancellationToken = default)
    {
        var address = ClusterAddress.Parse(cluster);
        return Task.Run(() => new ClusterConnector(address, options ?? new JoblibClusterOptions()).ConnectAsync(cancellationToken), cancellationToken);
    }

    /// <summary>Disconnects.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await ClusterConnector.StopAsync(_host, _redis).ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();
}
