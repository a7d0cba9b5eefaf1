using System.Net;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>A cluster runs what its clients send, so a silo that others than this host can reach must know who they are: without TLS it does not start.</summary>
internal sealed class LoopbackRule(IOptions<EndpointOptions> endpoints, IOptions<SiloWorkerOptions> workers) : IConfigurationValidator
{
    public void ValidateConfiguration()
    {
        var options = endpoints.Value;
        var silo = options.SiloListeningEndpoint?.Address ?? options.AdvertisedIPAddress;
        var gateway = options.GatewayPort == 0 ? null : options.GatewayListeningEndpoint?.Address ?? options.AdvertisedIPAddress;
        if (workers.Value.HasTls || workers.Value.TrustNetwork || (IsLoopback(silo) && IsLoopback(gateway)))
        {
            return;
        }

        throw new OrleansConfigurationException(
            $"The silo must not listen on '{(IsLoopback(silo) ? gateway : silo)}' without TLS: whoever reaches a silo may run code in it. Call UseJoblibTls, listen on a loopback address, "
                + "or set SiloWorkerOptions.TrustNetwork if something else lets only members of the cluster in (docs/errors.md#loopback).");
    }

    private static bool IsLoopback(IPAddress? address) => address is null || IPAddress.IsLoopback(address);
}
