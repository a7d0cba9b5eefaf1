using System.Globalization;
using System.Net.NetworkInformation;

namespace Orleans.Joblib.Cli;

/// <summary>The ports that a silo would take here.</summary>
internal static class PortChecks
{
    private const string HealthPort = "health-port";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly (string Setting, int Standard)[] Ports = [("silo-port", 11111), ("gateway-port", 30000), (HealthPort, 8080)];

    /// <param name="own">Ports of this host that the cluster's silos have.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal static async Task<IReadOnlyList<Finding>> LookAsync(IReadOnlySet<int> own, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        HashSet<int> taken = [.. IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port)];
        foreach (var (setting, standard) in Ports)
        {
            var variable = "JOBLIB_" + setting.Replace('-', '_').ToUpperInvariant();
            var text = Environment.GetEnvironmentVariable(variable);
            var port = standard;
            if (text is { Length: > 0 } && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue))
            {
                findings.Add(Finding.Fault(setting, $"{variable} is '{text}'", "Use a whole number from '0' to '65535'; '0' is a free port."));
            }
            else if (port != 0)
            {
                findings.Add(!taken.Contains(port) ? Finding.Ok(setting, string.Create(CultureInfo.InvariantCulture, $"port {port} is free"))
                    : own.Contains(port) || (setting == HealthPort && await IsHealthAsync(port, cancellationToken)) ? Finding.Ok(setting, string.Create(CultureInfo.InvariantCulture, $"port {port} is that of a silo{(own.Contains(port) ? " of this cluster" : "")}"))
                    : Finding.Warning(
                        setting,
                        string.Create(CultureInfo.InvariantCulture, $"port {port} is taken by another process"),
                        $"A silo does not start here with it: give it another, --{setting} or {variable}, '0' for a free one. Who has it: 'ss -ltnp sport = :{port}'."));
            }
        }

        return findings;
    }

    private static async Task<bool> IsHealthAsync(int port, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = Patience };
        try
        {
            return await http.GetStringAsync(new UriBuilder("http", "127.0.0.1", port, "healthz/live").Uri, cancellationToken) == "live\n";
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
