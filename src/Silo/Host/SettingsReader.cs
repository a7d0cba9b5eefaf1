using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>Reads the settings from command line, environment and file, in this order, and reports all faults together, each with the place it came from.</summary>
internal sealed class SettingsReader(IConfiguration file, Func<string, string?> commandLine, Func<string, string?>? environment = null)
{
    private readonly Func<string, string?> _environment = environment ?? Environment.GetEnvironmentVariable;
    private readonly List<string> _faults = [];

    /// <exception cref="SettingsException">They do not make a silo.</exception>
    internal SiloHostOptions Read()
    {
        var known = SiloSetting.All.Select(setting => setting.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var key in file.GetSection("Joblib").GetChildren().Select(child => child.Path).Where(path => !known.Contains(path)))
        {
            _faults.Add($"'{key}' (in the appsettings file) is not known. Use one of {string.Join(", ", SiloSetting.All.Select(s => s.Key))}.");
        }

        var cluster = Cluster();
        var listen = Address("listen-address") ?? IPAddress.Loopback;
        var tls = JoblibTlsOptions.From(name => Find(name).Value ?? cluster?.Tls.GetValueOrDefault(name));
        if (!IPAddress.IsLoopback(listen) && tls is null)
        {
            _faults.Add(
                $"listen-address must not be '{listen}' without TLS: whoever reaches a silo may run code in it. Set tls-certificate and tls-ca, or listen on 127.0.0.1 (docs/errors.md#loopback).");
        }

        if (cluster is { IsRedis: false } && !IPAddress.IsLoopback(listen))
        {
            _faults.Add($"listen-address must not be '{listen}' with cluster 'localhost', which is for silos of one host. Use a 'redis://…' cluster, or listen on 127.0.0.1.");
        }

        _faults.AddRange(tls?.Faults() ?? []);
        var options = new SiloHostOptions
        {
            Cluster = cluster ?? ClusterAddress.Parse("localhost"),
            PrimaryPort = Number("primary-port", 1, 65535) ?? SiloHostOptions.DefaultSiloPort,
            SiloPort = Number("silo-port", 0, 65535) ?? SiloHostOptions.DefaultSiloPort,
            GatewayPort = Number("gateway-port", 0, 65535) ?? SiloHostOptions.DefaultGatewayPort,
            ListenAddress = listen,
            AdvertisedAddress = Address("advertised-address") ?? Advertised(listen),
            Slots = Number("slots", 1, SiloWorkerOptions.MostSlots),
            SlotsPerCore = Fraction("slots-per-core", 0.01, 1024) ?? SiloWorkerOptions.DefaultSlotsPerCore,
            Workers = Choice("workers", WorkerKind.Threads),
            IdleWorkerTimeout = Time("idle-worker-timeout", TimeSpan.Zero, SiloWorkerOptions.LongestIdleWorkerTimeout) ?? SiloWorkerOptions.DefaultIdleWorkerTimeout,
            HealthPort = Number("health-port", 0, 65535) ?? SiloHostOptions.DefaultHealthPort,
            HealthAddress = Address("health-address") ?? listen,
            Tls = tls,
            Dashboard = Dashboard(tls),
            Python = Find("python").Value,
            Grpc = Grpc(tls),
            CodeCache = Folder("code-cache"),
            CodeCacheSize = Bytes("code-cache-size", CodeCacheOptions.LeastMaxBytes) ?? CodeCacheOptions.DefaultMaxBytes,
            CodeIdleTime = Time("code-idle-time", TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)) ?? CodeCacheOptions.DefaultIdleTime,
            ArrayFolder = Folder("array-folder"),
            ArrayStoreSize = Bytes("array-store-size", SiloArrayOptions.LeastMaxBytes),
            Blobs = Blobs("blobs"),
            OtlpEndpoint = Url("otlp-endpoint"),
            OtlpProtocol = Choice("otlp-protocol", OtlpProtocol.Grpc),
            OtlpSources = Find("otlp-sources").Value?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
            Prometheus = Switch("prometheus"),
            LogLevel = Choice("log-level", LogLevel.Information),
            DrainTimeout = Time("drain-timeout", TimeSpan.Zero, TimeSpan.FromDays(1)) ?? SiloHostOptions.DefaultDrainTimeout,
            ExitWithParent = Number("exit-with-parent", 1, int.MaxValue),
        };
        if (options.AdvertisedAddress.Equals(IPAddress.Any) || options.AdvertisedAddress.Equals(IPAddress.IPv6Any))
        {
            _faults.Add($"advertised-address must not be '{options.AdvertisedAddress}', which nobody can connect to. Use an address of this host that the others reach.");
        }

        if (new[] { options.SiloPort, options.GatewayPort, options.HealthPort, options.Dashboard?.Port ?? 0, options.Grpc?.Port ?? 0 }.Where(port => port != 0).GroupBy(port => port).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            _faults.Add($"silo-port, gateway-port, health-port, dashboard-port and grpc-port must differ; two are '{twice.Key}'. Use 0 for a free port.");
        }

        return _faults.Count == 0 ? options : throw new SettingsException(_faults);
    }

    private DashboardOptions? Dashboard(JoblibTlsOptions? tls)
    {
        var wanted = Switch("dashboard");
        var address = Address("dashboard-address") ?? IPAddress.Loopback;
        var port = Number("dashboard-port", 0, 65535) ?? DashboardOptions.DefaultPort;
        var token = Find("dashboard-token").Value;
        if (token is { Length: < DashboardOptions.LeastTokenLength })
        {
            _faults.Add($"dashboard-token must have {DashboardOptions.LeastTokenLength} characters or more: whoever guesses it may cancel runs.");
        }

        if (wanted && !IPAddress.IsLoopback(address) && (tls is null || token is null))
        {
            _faults.Add($"dashboard-address must not be '{address}' without TLS and {SiloSetting.All.First(s => s.Name == "dashboard-token").Variable}: the page shows calls' arguments and cancels runs. Set both, or use 127.0.0.1.");
        }

        return wanted ? new DashboardOptions { Address = address, Port = port, Token = token } : null;
    }

    private GatewayOptions? Grpc(JoblibTlsOptions? tls)
    {
        var port = Number("grpc-port", 0, 65535);
        var address = Address("grpc-address");
        if (!Switch("grpc") && port is null && address is null)
        {
            return null;
        }

        if (address is not null && !IPAddress.IsLoopback(address) && tls is null)
        {
            _faults.Add($"grpc-address must not be '{address}' without TLS: whoever reaches it may run code on the cluster. Set tls-certificate and tls-ca, or use 127.0.0.1.");
        }

        return new GatewayOptions { Address = address ?? IPAddress.Loopback, Port = port ?? GatewayOptions.DefaultPort, Tls = address is null || IPAddress.IsLoopback(address) ? null : tls };
    }

    private bool Switch(string name)
    {
        var (text, source) = Find(name);
        if (text is null)
        {
            return false;
        }

        if (bool.TryParse(text, out var value))
        {
            return value;
        }

        _faults.Add($"{source} must not be '{text}'. Use 'true' or 'false'.");
        return false;
    }

    private ClusterAddress? Cluster()
    {
        var (text, _) = Find("cluster");
        try
        {
            var address = ClusterAddress.Parse(text ?? "localhost");
            if (!address.IsRedis && (address.Endpoints.Count != 1 || address.Endpoints[0] is not ("localhost", null)))
            {
                _faults.Add($"cluster must not be '{address}': a silo joins through Redis ('redis://host:port?cluster=NAME'), or on one host with 'localhost' and --primary-port.");
            }

            return address;
        }
        catch (ArgumentException exception)
        {
            _faults.Add(exception.Message);
            return null;
        }
    }

    private (string? Value, string Source) Find(string name)
    {
        var setting = SiloSetting.All.First(s => s.Name == name);
        return commandLine(name) is { Length: > 0 } given ? (given, "--" + name)
            : _environment(setting.Variable) is { Length: > 0 } variable ? (variable, setting.Variable)
            : file[setting.Key] is { Length: > 0 } value ? (value, setting.Key)
            : (null, name);
    }

    private int? Number(string name, int least, int most)
    {
        var (text, source) = Find(name);
        if (text is null)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        _faults.Add($"{source} must not be '{text}'. Use a whole number from '{least}' to '{most}'.");
        return null;
    }

    private double? Fraction(string name, double least, double most)
    {
        var (text, source) = Find(name);
        if (text is null)
        {
            return null;
        }

        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        _faults.Add(string.Create(CultureInfo.InvariantCulture, $"{source} must not be '{text}'. Use a number from '{least}' to '{most}'."));
        return null;
    }

    private IPAddress? Address(string name)
    {
        var (text, source) = Find(name);
        if (text is null or "localhost")
        {
            return text is null ? null : IPAddress.Loopback;
        }

        if (IPAddress.TryParse(text, out var address))
        {
            return address;
        }

        _faults.Add($"{source} must not be '{text}'. Use an IP address, such as '127.0.0.1', '0.0.0.0' or '10.0.0.5'.");
        return null;
    }

    private string? Folder(string name)
    {
        var (text, source) = Find(name);
        if (text is null || Path.IsPathFullyQualified(text))
        {
            return text;
        }

        _faults.Add($"{source} must not be '{text}'. Use an absolute path.");
        return null;
    }

    private string? Blobs(string name)
    {
        var (text, source) = Find(name);
        if (text is null)
        {
            return null;
        }

        try
        {
            BlobStorage.Parse(text);
            return text;
        }
        catch (ArgumentException exception)
        {
            // It does not repeat the value, which may hold a key.
            _faults.Add($"{source}: {exception.Message}");
            return null;
        }
    }

    private Uri? Url(string name)
    {
        var (text, source) = Find(name);
        if (text is null || (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")))
        {
            return text is null ? null : new Uri(text);
        }

        _faults.Add($"{source} must not be '{text}'. Use a URL, such as 'http://collector:4317'.");
        return null;
    }

    private long? Bytes(string name, long least)
    {
        var (text, source) = Find(name);
        if (text is null)
        {
            return null;
        }

        var unit = "KMG".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) + 1;
        if (long.TryParse(unit > 0 ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue >> (10 * unit)
            && number << (10 * unit) >= least)
        {
            return number << (10 * unit);
        }

        _faults.Add($"{source} must not be '{text}'. Use a number of bytes, such as '512M' or '2G', from '{least >> 20}M'.");
        return null;
    }

    private TimeSpan? Time(string name, TimeSpan least, TimeSpan most)
    {
        var (text, source) = Find(name);
        if (text is null)
        {
            return null;
        }

        var isTime = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds >= least.TotalSeconds && seconds <= most.TotalSeconds;
        var time = isTime ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
        if (isTime || (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out time) && time >= least && time <= most))
        {
            return time;
        }

        _faults.Add(string.Create(CultureInfo.InvariantCulture, $"{source} must not be '{text}'. Use seconds, such as '30', or 'hh:mm:ss', from '{least.TotalSeconds}' seconds to '{most.TotalDays}' days."));
        return null;
    }

    private TEnum Choice<TEnum>(string name, TEnum standard)
        where TEnum : struct, Enum
    {
        var (text, source) = Find(name);
        if (text is null)
        {
            return standard;
        }

        // TryParse alone takes numbers and lists, too.
        if (Enum.GetNames<TEnum>().Contains(text.Trim(), StringComparer.OrdinalIgnoreCase) && Enum.TryParse(text, ignoreCase: true, out TEnum value))
        {
            return value;
        }

        _faults.Add($"{source} must not be '{text}'. Use one of {string.Join(", ", Enum.GetNames<TEnum>().Select(known => $"'{known}'"))}.");
        return standard;
    }

    /// <summary>For 'any', this host's first address that is not a loopback one.</summary>
    private static IPAddress Advertised(IPAddress listen)
    {
        if (!listen.Equals(IPAddress.Any) && !listen.Equals(IPAddress.IPv6Any))
        {
            return listen;
        }

        try
        {
            var family = listen.AddressFamily;
            return Dns.GetHostAddresses(Dns.GetHostName()).FirstOrDefault(address => address.AddressFamily == family && !IPAddress.IsLoopback(address)) ?? listen;
        }
        catch (SocketException)
        {
            return listen;
        }
    }
}
