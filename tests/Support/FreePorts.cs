using System.Net;
using System.Net.Sockets;

namespace Orleans.Joblib.Tests;

/// <summary>Ports that nobody listens on at the moment of asking.</summary>
internal static class FreePorts
{
    internal static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
