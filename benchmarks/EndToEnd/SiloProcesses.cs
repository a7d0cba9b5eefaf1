using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>Silos as processes of their own on this host, over loopback TCP.</summary>
internal sealed class SiloProcesses : IDisposable
{
    private readonly List<Process> _processes = [];
    private readonly DirectoryInfo _cache = Directory.CreateTempSubdirectory("joblib-benchmark-");

    private SiloProcesses()
    {
    }

    /// <summary>The cluster string that a client connects with.</summary>
    internal string Address { get; private set; } = "";

    /// <summary>What the silos hold in memory, in bytes.</summary>
    internal long WorkingSet => _processes.Sum(process =>
    {
        process.Refresh();
        return process.WorkingSet64;
    });

    internal static SiloProcesses Start(int silos, int slotsPerSilo, bool inProcesses = false)
    {
        var started = new SiloProcesses();
        try
        {
            var primary = FreePort();
            for (var i = 0; i < silos; i++)
            {
                var gateway = started.Add(i == 0 ? primary : FreePort(), primary, slotsPerSilo, inProcesses);
                started.Address = i == 0 ? $"localhost:{gateway}" : $"{started.Address},localhost:{gateway}";
            }

            return started;
        }
        catch (Exception)
        {
            started.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        _cache.Delete(recursive: true);
    }

    private int Add(int port, int primary, int slots, bool inProcesses)
    {
        var program = typeof(SiloProcesses).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "SiloProgram").Value!;
        string[] arguments =
        [
            program, "--cluster", "localhost", "--primary-port", $"{primary}", "--silo-port", $"{port}", "--gateway-port", "0", "--health-port", "0",
            "--slots", $"{slots}", "--workers", inProcesses ? "Processes" : "Threads", "--log-level", "Error", "--exit-with-parent", $"{Environment.ProcessId}",
        ];
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true };

        // Their code cache is theirs alone: what an earlier run sent is not there.
        start.Environment["XDG_CACHE_HOME"] = _cache.FullName;
        var process = Process.Start(start)!;
        _processes.Add(process);
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (line.Split(' ').FirstOrDefault(part => part.StartsWith("gateway=", StringComparison.Ordinal)) is { } gateway)
            {
                return IPEndPoint.Parse(gateway["gateway=".Length..]).Port;
            }
        }

        throw new InvalidOperationException("A silo ended before it was ready; its words are on standard error.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
