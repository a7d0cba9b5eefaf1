using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Orleans.Joblib.Tests;

/// <summary>A silo in the host of another program, this one; its clock set wrong, or its protocol another, if asked.</summary>
internal sealed class GuestSilo : IAsyncDisposable
{
    private readonly IHost _host;

    private GuestSilo(IHost host, int siloPort, int gatewayPort)
    {
        _host = host;
        SiloPort = siloPort;
        GatewayPort = gatewayPort;
    }

    internal int SiloPort { get; }

    internal int GatewayPort { get; }

    internal string Cluster => $"localhost:{GatewayPort}";

    internal static async Task<GuestSilo> StartAsync(TimeSpan clockOff = default, int protocol = JoblibProtocol.Version)
    {
        var silo = new IPEndPoint(IPAddress.Loopback, FreePorts.Next());
        var gateway = new IPEndPoint(IPAddress.Loopback, FreePorts.Next());
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<TimeProvider>(new WrongClock(clockOff));
        builder.UseOrleans(orleans =>
        {
            orleans.UseDevelopmentClustering(silo);
            orleans.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("joblib", "orleans-joblib"));
            orleans.Configure<EndpointOptions>(endpoints =>
            {
                endpoints.AdvertisedIPAddress = IPAddress.Loopback;
                endpoints.SiloPort = silo.Port;
                endpoints.GatewayPort = gateway.Port;
                endpoints.SiloListeningEndpoint = silo;
                endpoints.GatewayListeningEndpoint = gateway;
            });
            orleans.AddJoblibWorkers(workers => (workers.Slots, workers.Protocol) = (1, protocol));
        });
        var host = builder.Build();
        await host.StartAsync();
        return new GuestSilo(host, silo.Port, gateway.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private sealed class WrongClock(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + off;
    }
}
