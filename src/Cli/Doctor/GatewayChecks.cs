using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orleans.Joblib.Cli;

/// <summary>Gateways: whether this host reaches them at all.</summary>
internal static class GatewayChecks
{
    internal static async Task<IReadOnlyList<(string Host, int Port)>> OfAddressAsync(ClusterAddress address, List<Finding> findings, CancellationToken cancellationToken)
    {
        foreach (var (host, _) in address.Endpoints)
        {
            try
            {
                await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException exception)
            {
                findings.Add(Finding.Fault("gateway", $"the host '{host}' is not known: {exception.Message}", "Check the name in the cluster string, and this host's name service."));
            }
        }

        return [.. address.Endpoints.Select(endpoint => (endpoint.Host, endpoint.Port ?? ClusterAddress.DefaultGatewayPort))];
    }

    internal static async Task<Finding> LookAsync(string host, int port, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var place = string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
        var started = Stopwatch.GetTimestamp();
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(host, port, cancellationToken).AsTask().WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
            return Finding.Ok("gateway", string.Create(CultureInfo.InvariantCulture, $"{place} accepts connections ({Stopwatch.GetElapsedTime(started).TotalMilliseconds:0.0} ms)"));
        }
        catch (Exception exception) when (exception is SocketException or TimeoutException)
        {
            return Finding.Fault(
                "gateway",
                $"{place} accepts no connection: {(exception is TimeoutException ? $"no answer within '{timeout}'" : exception.Message)}",
                "Check that the silo runs, that a firewall lets this host through to its gateway port, and that --advertised-address of the silo is one that this host reaches.");
        }
    }
}
