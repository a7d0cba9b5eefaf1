using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Joblib.Silo;

namespace Orleans.Joblib;

/// <summary>The local dev silo: a cluster inside this process, without any external service. Its ports are free ones of the loopback interface.</summary>
/// <remarks>
/// Give <see cref="Client"/> to <c>Joblib.RegisterOrleans</c>, and <c>backend: "orleans"</c> runs here. Batches pass by reference. Disposing it ends runs in
/// progress. As Dask's <c>LocalCluster</c>.
/// </remarks>
public sealed class LocalCluster : IAsyncDisposable
{
    private const int MostPortTries = 5;

    private readonly List<IHost> _hosts;
    private bool _disposed;

    private LocalCluster(List<IHost> hosts) => _hosts = hosts;

    /// <summary>The cluster's client; thread-safe, and gone when the cluster is disposed.</summary>
    public IClusterClient Client => _hosts[0].Services.GetRequiredService<IClusterClient>();

    /// <summary>Silos that run.</summary>
    public int SiloCount => _hosts.Count;

    /// <summary>The silos' services, for tests and for those who build on the silo.</summary>
    public IReadOnlyList<IServiceProvider> Services => [.. _hosts.Select(host => host.Services)];

    /// <summary>Starts silos in this process and returns when they answer.</summary>
    /// <param name="silos">How many, 1 to 64. Default: 1.</param>
    /// <param name="slotsPerSilo">Workers of each, 1 to 4,096. Default: one per core.</param>
    /// <param name="configureSilo">Anything else about each silo.</param>
    /// <param name="cancellationToken">Gives up the start; what has started is stopped.</param>
    /// <returns>The running cluster; dispose it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range; nothing was started.</exception>
    /// <exception cref="JoblibException">The program runs without dynamic code, as file-based programs do unless they set <c>PublishAot=false</c>; nothing was started.</exception>
    public static async Task<LocalCluster> StartAsync(
        int silos = 1, int? slotsPerSilo = null, Action<ISiloBuilder>? configureSilo = null, CancellationToken cancellationToken = default)
    {
        if (silos is < 1 or > 64)
        {
            throw new ArgumentOutOfRangeException(nameof(silos), silos, $"silos must not be '{silos}'. Use '1' to '64'.");
        }

        if (slotsPerSilo is < 1 or > SiloWorkerOptions.MostSlots)
        {
            throw new ArgumentOutOfRangeException(
                nameof(slotsPerSilo), slotsPerSilo, $"slotsPerSilo must not be '{slotsPerSilo}'. Use '1' to '{SiloWorkerOptions.MostSlots}', or leave it out for one per core.");
        }

        // A silo's serializer and grains are made of dynamic code; without it the start fails after minutes, with a cancelled task for a reason.
        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            throw new JoblibException(
                "no-dynamic-code",
                "A silo needs dynamic code, which this program runs without. Put '#:property PublishAot=false' at the top of a file-based program, or drop PublishAot from the project.");
        }

        var cluster = new LocalCluster([]);
        var name = Guid.NewGuid().ToString("N");
        IPEndPoint? primary = null;
        try
        {
            for (var i = 0; i < silos; i++)
            {
                var endpoint = await cluster.AddAsync(name, primary, slotsPerSilo, configureSilo, cancellationToken).ConfigureAwait(false);
                primary ??= endpoint;
            }

            return cluster;
        }
        catch (Exception)
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops the silos.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;

        // The first silo holds the membership table of the others: it goes last, and the others together.
        await Task.WhenAll(_hosts.Skip(1).Select(StopAsync)).ConfigureAwait(false);
        if (_hosts.Count > 0)
        {
            await StopAsync(_hosts[0]).ConfigureAwait(false);
        }
    }

    private async Task<IPEndPoint> AddAsync(
        string name, IPEndPoint? primary, int? slotsPerSilo, Action<ISiloBuilder>? configureSilo, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var endpoint = new IPEndPoint(IPAddress.Loopback, FreePort());
            var host = Build(name, endpoint, primary ?? endpoint, slotsPerSilo, configureSilo);
            try
            {
                await host.StartAsync(cancellationToken).ConfigureAwait(false);
                _hosts.Add(host);
                return endpoint;
            }
            catch (Exception exception)
            {
                host.Dispose();

                // Between finding a port free and listening on it another process may have taken it.
                if (exception is not SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } || tries == MostPortTries)
                {
                    throw;
                }
            }
        }
    }

    private static IHost Build(string name, IPEndPoint endpoint, IPEndPoint primary, int? slotsPerSilo, Action<ISiloBuilder>? configureSilo)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.UseOrleans(silo =>
        {
            silo.UseDevelopmentClustering(primary);
            silo.Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = name;
                cluster.ServiceId = "orleans-joblib-local";
            });
            silo.Configure<EndpointOptions>(endpoints =>
            {
                endpoints.AdvertisedIPAddress = endpoint.Address;
                endpoints.SiloPort = endpoint.Port;
                endpoints.SiloListeningEndpoint = endpoint;

                // Its clients are in this process: no gateway.
                endpoints.GatewayPort = 0;
            });
            silo.AddJoblibWorkers(workers => workers.Slots = slotsPerSilo);
            configureSilo?.Invoke(silo);
        });
        return builder.Build();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task StopAsync(IHost host)
    {
        await host.StopAsync(CancellationToken.None).ConfigureAwait(false);
        host.Dispose();
    }
}
