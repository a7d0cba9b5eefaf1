using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;

namespace Orleans.Joblib.Tests;

/// <summary>Azure's blob storage for tests: the npm package azurite, set up by npm in the user's cache the first time, as a process of its own. It ends with the test process.</summary>
public sealed class Azurite : IDisposable
{
    private const string Version = "3.37.0";

    // The one that everybody knows: Azurite's own.
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly Process _process;
    private readonly string _folder;

    private Azurite(Process process, string folder, string address, int port)
    {
        _process = process;
        _folder = folder;
        Host = $"{address}:{port}";
    }

    public string Host { get; }

    public int ProcessId => _process.Id;

    /// <summary>A connection string for a container.</summary>
    public string Setting(string container, string key = Key) =>
        $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint=http://{Host}/devstoreaccount1;Container={container}";

    /// <summary>Starts one and waits until it answers.</summary>
    public static async Task<Azurite> StartAsync(string address = "127.0.0.1", string? parent = null)
    {
        var main = SetUp();
        var script = typeof(Azurite).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "AzuriteHost").Value!;
        for (var tries = 1; ; tries++)
        {
            var port = FreePort();
            var folder = Directory.CreateDirectory(Path.Combine(parent ?? Path.GetTempPath(), $"joblib-azurite-{Guid.NewGuid():n}")).FullName;
            var process = Process.Start(new ProcessStartInfo("node", [script, main, address, port.ToString(), folder]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.OutputDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            var error = process.StandardError.ReadToEndAsync();
            var azurite = new Azurite(process, folder, address, port);
            if (await azurite.AnswersAsync(address, port))
            {
                return azurite;
            }

            azurite.Dispose();
            if (tries == 3)
            {
                throw new InvalidOperationException($"Azurite does not start: {await error}");
            }
        }
    }

    /// <summary>As <c>kill -9</c>: storage that is away.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> AnswersAsync(string address, int port)
    {
        var began = Stopwatch.GetTimestamp();
        while (!_process.HasExited && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60))
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(address, port);
                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }

        return false;
    }

    // Two test runs at once: the second waits for the first.
    private static string SetUp()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } named ? named : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var folder = Directory.CreateDirectory(Path.Combine(cache, "orleans-joblib", $"azurite-{Version}")).FullName;
        var main = Path.Combine(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js");
        var done = Path.Combine(folder, "done");
        if (File.Exists(done))
        {
            return main;
        }

        using var gate = Lock(Path.Combine(folder, "lock"));
        if (!File.Exists(done))
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, $"azurite@{Version}"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }) ?? throw new InvalidOperationException("npm does not start. These tests need Node.js 20 or later with npm.");
            var output = npm.StandardOutput.ReadToEndAsync();
            var error = npm.StandardError.ReadToEndAsync();
            npm.WaitForExit();
            if (npm.ExitCode != 0 || !File.Exists(main))
            {
                throw new InvalidOperationException($"npm did not set up azurite: {output.Result} {error.Result}");
            }

            File.WriteAllText(done, Version);
        }

        return main;
    }

    private static FileStream Lock(string path)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(5))
            {
                Thread.Sleep(200);
            }
        }
    }
}
