using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using StackExchange.Redis;

namespace Orleans.Joblib;

/// <summary>Connects once to a cluster, within a time limit, and says precisely why when it cannot.</summary>
internal sealed class ClusterConnector(ClusterAddress address, JoblibClusterOptions options)
{
    // Orleans' own minute is long for a cluster whose silos come and go.
    private static readonly TimeSpan GatewayRefresh = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly long _started = TimeProvider.System.GetTimestamp();
    private volatile string? _tlsFault;

    private TimeSpan Left => options.ConnectTimeout - TimeProvider.System.GetElapsedTime(_started);

    internal async Task<JoblibCluster> ConnectAsync(CancellationToken cancellationToken)
    {
        var tls = options.Tls ?? JoblibTlsOptions.From(key => address.Tls.GetValueOrDefault(key)) ?? JoblibTlsOptions.FromEnvironment();
        var credentials = tls is null ? null : TlsCredentials.Load(tls);
        ConnectionMultiplexer? redis = null;
        IHost? host = null;
        try
        {
            Action<IClientBuilder> clustering;
            if (address.IsRedis)
            {
                redis = await RedisConnection.OpenAsync(address, options.ConnectTimeout, cancellationToken).ConfigureAwait(false);
                await FindMembersAsync(redis, cancellationToken).ConfigureAwait(false);
                clustering = client => client.UseRedisClustering(membership =>
                {
                    membership.ConfigurationOptions = RedisConnection.Configuration(address);
                    membership.CreateMultiplexer = _ => Task.FromResult<(IConnectionMultiplexer, bool)>((redis, true));
                });
            }
            else
            {
                var gateways = await GatewaysAsync(cancellationToken).ConfigureAwait(false);
                clustering = client => client.UseStaticClustering(gateways);
            }

            host = Build(clustering, credentials);
            await StartAsync(host, cancellationToken).ConfigureAwait(false);
            await CheckProtocolAsync(host, cancellationToken).ConfigureAwait(false);
            return new JoblibCluster(address, host, redis);
        }
        catch (Exception)
        {
            await StopAsync(host, redis).ConfigureAwait(false);
            throw;
        }
    }

    internal static async ValueTask StopAsync(IHost? host, IAsyncDisposable? redis)
    {
        if (host is not null)
        {
            try
            {
                using var timeout = new CancellationTokenSource(StopTimeout);
                await host.StopAsync(timeout.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // It is going either way; a cluster that is gone does not say goodbye.
                JoblibLog.DisconnectFailed(Joblib.Logger, exception);
            }

            host.Dispose();
        }

        if (redis is not null)
        {
            await redis.DisposeAsync().ConfigureAwait(false);
        }
    }

    private IHost Build(Action<IClientBuilder> clustering, TlsCredentials? credentials)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        if (Joblib.LoggerFactory is { } loggers)
        {
            builder.Services.AddSingleton(loggers);
        }
        else
        {
            builder.Logging.SetMinimumLevel(LogLevel.None);
        }

        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = address.Cluster;
                cluster.ServiceId = RedisConnection.ServiceId;
            });
            client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = GatewayRefresh);
            clustering(client);
            client.UseConnectionRetryFilter(async (_, token) =>
            {
                // A silo that does not trust this client, or that this client does not trust, will not do so in a second either.
                if (_tlsFault is not null || Left <= Again)
                {
                    return false;
                }

                await Task.Delay(Again, token).ConfigureAwait(false);
                return true;
            });
            if (credentials is not null)
            {
                client.Configure<ClientConnectionOptions>(connection => connection.ConfigureConnection(pipe => pipe.UseMutualTlsAsClient(credentials, fault => _tlsFault = fault)));
            }

            options.ConfigureClient?.Invoke(client);
        });
        return builder.Build();
    }

    private async Task StartAsync(IHost host, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Left > TimeSpan.Zero ? Left : TimeSpan.Zero);
        try
        {
            await host.StartAsync(timeout.Token).WaitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw NotReached(exception);
        }
    }

    /// <summary>Waits for the cluster to be in Redis with a silo that clients can reach: it may be starting right now.</summary>
    private async Task FindMembersAsync(ConnectionMultiplexer redis, CancellationToken cancellationToken)
    {
        while (true)
        {
            RedisValue[] rows;
            try
            {
                rows = await redis.GetDatabase().HashValuesAsync(RedisConnection.MembersOf(address)).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (RedisException exception)
            {
                throw new JoblibException(
                    "redis-not-reached", $"Redis at '{address}' did not say who is in the cluster: {exception.Message} Check its password and database, and that it is not overloaded.", exception);
            }

            // A silo's row is JSON; SiloStatus.Active is 3.
            if (rows.Any(row => row.ToString().Contains("\"Status\":3", StringComparison.Ordinal)))
            {
                return;
            }

            if (Left <= Again)
            {
                throw new JoblibException(
                    "cluster-not-found",
                    rows.Length == 0
                        ? $"Redis at '{address}' knows no cluster '{address.Cluster}' (waited '{options.ConnectTimeout}'). Check the name and the database, or start a silo: joblib-silo --cluster '{address}'."
                        : $"No silo of the cluster '{address.Cluster}' at '{address}' is active (waited '{options.ConnectTimeout}'). Start one: joblib-silo --cluster '{address}'.");
            }

            await Task.Delay(Again, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IPEndPoint[]> GatewaysAsync(CancellationToken cancellationToken)
    {
        var gateways = new List<IPEndPoint>();
        foreach (var (host, port) in address.Endpoints)
        {
            try
            {
                var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
                var four = addresses.Where(a => a.AddressFamily == AddressFamily.InterNetwork).ToArray();
                gateways.AddRange((four.Length > 0 ? four : addresses).Select(a => new IPEndPoint(a, port ?? ClusterAddress.DefaultGatewayPort)));
            }
            catch (SocketException exception)
            {
                throw new JoblibException("cluster-not-reached", $"The host '{host}' of the cluster '{address}' is not known: {exception.Message}. Check the name.", exception);
            }
        }

        return [.. gateways.Distinct()];
    }

    private async Task CheckProtocolAsync(IHost host, CancellationToken cancellationToken)
    {
        var client = host.Services.GetRequiredService<IClusterClient>();
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(Left > Again ? Left : Again);
            var silos = await client.GetGrain<IManagementGrain>(0).GetHosts(true, timeout.Token).WaitAsync(timeout.Token).ConfigureAwait(false);
            var versions = await Task.WhenAll(silos.Keys.Select(silo => VersionAsync(client, silo, timeout.Token))).ConfigureAwait(false);
            var spoken = versions.Where(version => version is not null).Select(version => version!.Value).Distinct().Order().ToArray();
            if (spoken.Length > 0 && !spoken.Contains(JoblibProtocol.Version))
            {
                throw ProtocolMismatch(address.ToString(), spoken);
            }
        }
        catch (Exception exception) when (exception is not JoblibException && !cancellationToken.IsCancellationRequested)
        {
            throw NotReached(exception);
        }
    }

    private static async Task<int?> VersionAsync(IClusterClient client, SiloAddress silo, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(silo)).GetStatusAsync().WaitAsync(cancellationToken).ConfigureAwait(false)).Protocol;
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException or OperationCanceledException)
        {
            // A silo without workers, or one that died a moment ago and is still listed: it says nothing about the others.
            return null;
        }
    }

    internal static JoblibException ProtocolMismatch(string cluster, params IEnumerable<int> spoken) => new(
        "protocol-version",
        $"This client speaks protocol version '{JoblibProtocol.Version}', the silos of '{cluster}' speak '{string.Join("', '", spoken)}'. Use the same version of Orleans.Joblib on both sides.");

    private JoblibException NotReached(Exception exception)
    {
        if (_tlsFault is { } fault)
        {
            return new JoblibException("tls-refused", $"The cluster '{address}' was not entered, and nothing was run. {fault}", exception);
        }

        var refused = Find<SocketException>(exception);
        var reason = refused is not null
            ? $"{refused.Message}: nothing answers there. Check host and port, and that a silo runs"
            : $"{(exception is OperationCanceledException ? "no answer" : Innermost(exception).Message.TrimEnd('.'))}. Check that a silo listens there, that its cluster's name is '{address.Cluster}' (parameter 'cluster'), and whether it demands TLS (parameters 'tls-…')";
        return new JoblibException("cluster-not-reached", $"The cluster '{address}' was not reached (tried for '{options.ConnectTimeout}'): {reason}.", exception);
    }

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        while (exception is not null and not T)
        {
            exception = exception.InnerException;
        }

        return (T?)exception;
    }
}
