using System.Net;

namespace Orleans.Joblib.Cli;

/// <summary>The cluster, as this host sees it.</summary>
internal static class ClusterChecks
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    /// <param name="invocation">Which cluster.</param>
    /// <param name="ownPorts">Takes the ports of this host that its silos have.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal static async Task<IReadOnlyList<Finding>> LookAsync(Invocation invocation, ISet<int> ownPorts, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        List<(string Host, int Port)> gateways = [];
        if (invocation.Address.IsRedis)
        {
            List<IPEndPoint> members = [];
            findings.AddRange(await RedisChecks.LookAsync(invocation.Address, invocation.ConnectTimeout, members, cancellationToken).ConfigureAwait(false));
            gateways.AddRange(members.Select(member => (member.Address.ToString(), member.Port)));
        }
        else
        {
            gateways.AddRange(await GatewayChecks.OfAddressAsync(invocation.Address, findings, cancellationToken).ConfigureAwait(false));
        }

        if (findings.Any(finding => finding.Status == FindingStatus.Fault))
        {
            return findings;
        }

        findings.AddRange(await Task.WhenAll(gateways.Select(gateway => GatewayChecks.LookAsync(gateway.Host, gateway.Port, ConnectLimit, cancellationToken))).ConfigureAwait(false));
        try
        {
            await using var cluster = await invocation.ConnectAsync(cancellationToken).ConfigureAwait(false);
            var view = await new ClusterMonitor(cluster.Client).LookAsync(cancellationToken).ConfigureAwait(false);
            findings.Add(Finding.Ok("cluster", $"'{cluster.Address}' is reached: {ReportTables.Count(view.Silos.Count, "silo")}, {ReportTables.Count(view.Silos.Sum(silo => silo.View?.Slots.Size ?? 0), "slot")}"));
            findings.AddRange(view.Silos.Select(Silo).OfType<Finding>());
            findings.AddRange((await Task.WhenAll(view.Silos.Select(silo => ClockChecks.LookAsync(cluster.Client, silo, cancellationToken))).ConfigureAwait(false)).OfType<Finding>());
            foreach (var silo in view.Silos.Where(silo => silo.View?.Machine == Environment.MachineName))
            {
                ownPorts.Add(silo.Address.Endpoint.Port);
            }

            ownPorts.UnionWith(gateways.Where(gateway => view.Silos.Any(silo => silo.View?.Machine == Environment.MachineName)).Select(gateway => gateway.Port));
        }
        catch (JoblibException exception)
        {
            findings.Add(Finding.Fault("cluster", exception));
        }

        return findings;
    }

    private static Finding? Silo(SiloReport silo)
    {
        var name = SiloReportLine.Name(silo);
        return silo.View is not { } view ? Finding.Fault("silo", $"'{name}' does not answer, or has no workers: {silo.Fault}", "Look at its log. One that has died is left out of the cluster within seconds; one that hangs has to be ended.")
            : view.Slots.Draining ? Finding.Warning("silo", $"'{name}' drains and takes no work", "If that was not meant, start it anew.")
            : null;
    }
}
