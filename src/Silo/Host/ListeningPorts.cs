using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orleans.Joblib.Silo;

/// <summary>The addresses that a silo listens on.</summary>
internal static class ListeningPorts
{
    /// <summary>Tries them, before anything starts: the web server comes last, and until then the silo has joined and got work.</summary>
    /// <exception cref="JoblibException">One cannot be had; all are named.</exception>
    internal static void Check(SiloHostOptions options)
    {
        var wanted = new List<(string Name, IPAddress Address, int Port)>
        {
            ("silo", options.ListenAddress, options.SiloPort),
            ("gateway", options.ListenAddress, options.GatewayPort),
            ("health", options.HealthAddress, options.HealthPort),
        };
        if (options.Dashboard is { } dashboard)
        {
            wanted.Add(("dashboard", dashboard.Address, dashboard.Port));
        }

        if (options.Grpc is { } grpc)
        {
            wanted.Add(("grpc", grpc.Address, grpc.Port));
        }

        var faults = wanted.Select(one => (Where: string.Create(CultureInfo.InvariantCulture, $"{one.Name} '{new IPEndPoint(one.Address, one.Port)}'"), Fault: Fault(one.Address, one.Port)))
            .Where(one => one.Fault is not null).ToArray();
        if (faults.Length == 0)
        {
            return;
        }

        var taken = faults.Where(one => one.Fault!.SocketErrorCode == SocketError.AddressAlreadyInUse).Select(one => one.Where).ToArray();
        throw new JoblibException(
            "silo-not-started",
            string.Join(" ", (string[])
            [
                .. taken.Length > 0 ? [$"A port is taken by another process ({string.Join(", ", taken)}). Choose others, or 0 for free ones."] : Array.Empty<string>(),
                .. faults.Where(one => one.Fault!.SocketErrorCode != SocketError.AddressAlreadyInUse)
                    .Select(one => $"The silo cannot listen on {one.Where}: {one.Fault!.Message}. Choose an address of this host, and a port that this user may use."),
            ]),
            faults[0].Fault);
    }

    internal static int Free(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static SocketException? Fault(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return null;
        }
        catch (SocketException exception)
        {
            return exception;
        }
    }
}
