using System.Diagnostics;

namespace Orleans.Joblib.Tests;

/// <summary>Hosts of their own as far as the network goes: Linux network namespaces on one bridge, whose links can be cut. Needs root and iproute2.</summary>
internal sealed class NetworkNamespaces : IDisposable
{
    private static int _networks;

    private readonly string _bridge;
    private readonly int _net;
    private readonly List<string> _names = [];

    private NetworkNamespaces(int hosts)
    {
        // Two test runs on one machine must not meet: both numbers are of this process.
        var number = Interlocked.Increment(ref _networks);
        _net = ((Environment.ProcessId * 7) + number) % 250;
        _bridge = $"jb{Environment.ProcessId % 100_000}x{number}";
        try
        {
            Ip($"link add {_bridge} type bridge");
            Ip($"addr add {GatewayAddress}/24 dev {_bridge}");
            Ip($"link set {_bridge} up");
            for (var i = 0; i < hosts; i++)
            {
                Add(i);
            }
        }
        catch (Exception)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>This process's own address on the bridge.</summary>
    internal string GatewayAddress => $"10.231.{_net}.1";

    internal static NetworkNamespaces Create(int hosts) => new(hosts);

    /// <summary>Whether this machine and user may make them; if not, why.</summary>
    internal static bool AreAvailable(out string reason)
    {
        try
        {
            using var trial = Create(1);
            reason = "";
            return true;
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            reason = $"Network namespaces cannot be made here: {exception.Message}";
            return false;
        }
    }

    internal string Name(int host) => _names[host];

    internal string Address(int host) => $"10.231.{_net}.{host + 2}";

    /// <summary>Pulls the plug: nothing gets through, and nobody is told.</summary>
    internal void Cut(int host) => Ip($"link set {Link(host)} down");

    internal void Mend(int host) => Ip($"link set {Link(host)} up");

    public void Dispose()
    {
        foreach (var name in _names)
        {
            TryIp($"netns del {name}");
        }

        TryIp($"link del {_bridge}");
    }

    private string Link(int host) => $"{_bridge}v{host}";

    private void Add(int host)
    {
        var name = $"{_bridge}n{host}";
        Ip($"netns add {name}");
        _names.Add(name);
        Ip($"link add {Link(host)} type veth peer name {Link(host)}p");
        Ip($"link set {Link(host)}p netns {name}");
        Ip($"link set {Link(host)} master {_bridge}");
        Ip($"link set {Link(host)} up");
        Ip($"-n {name} addr add {Address(host)}/24 dev {Link(host)}p");
        Ip($"-n {name} link set {Link(host)}p up");
        Ip($"-n {name} link set lo up");
    }

    private static void TryIp(string arguments)
    {
        try
        {
            Ip(arguments);
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // Never made, or gone with its namespace.
        }
    }

    private static void Ip(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments.Split(' ')) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'ip {arguments}' said: {error.Trim()}");
        }
    }
}
