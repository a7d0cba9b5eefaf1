namespace Orleans.Joblib.Silo;

/// <summary>One setting of the silo program: an option of the command line, a variable of the environment (<c>JOBLIB_SILO_PORT</c>) and a key of appsettings.json (<c>Joblib:SiloPort</c>).</summary>
/// <param name="Name">As the command line has it, without the dashes.</param>
/// <param name="Value">What stands for the value in help; null where there is none to give.</param>
/// <param name="Help">What it does, and its default.</param>
/// <param name="OnCommandLine">False for a secret: other users of a machine see command lines.</param>
/// <param name="IsSwitch">Whether the command line may name it without a value, for 'true'.</param>
internal sealed record SiloSetting(string Name, string Value, string Help, bool OnCommandLine = true, bool IsSwitch = false)
{
    internal static readonly IReadOnlyList<SiloSetting> All =
    [
        new("cluster", "STRING", "The cluster: 'redis://[user:password@]host[:port][,host…][/db][?cluster=NAME]', or 'localhost[?cluster=NAME]' for silos of this host only, without Redis. Default: localhost."),
        new("primary-port", "PORT", "With cluster 'localhost': the silo port of the one silo that the others join. Default: 11111."),
        new("silo-port", "PORT", "Where other silos connect; 0 = a free port. Default: 11111."),
        new("gateway-port", "PORT", "Where clients connect; 0 = a free port. Default: 30000."),
        new("listen-address", "IP", "The address to listen on; any but a loopback address needs TLS. Default: 127.0.0.1."),
        new("advertised-address", "IP", "The address that others reach this silo at. Default: the listen address, or for 0.0.0.0 this host's first."),
        new("slots", "N", "Workers of this silo, 1 to 4096. Default: slots-per-core for each core."),
        new("slots-per-core", "X", "Workers for each core that the silo may use, 0.01 to 1024. Default: 1."),
        new("workers", "KIND", "Threads, or Processes: calls run in processes that the silo starts for runs of the same code; slower to start, and a call that dies takes nobody with it. A run may ask for processes on any silo. Default: Threads."),
        new("idle-worker-timeout", "TIME", "How long worker processes wait for the next run of the same code, 0 (they end with their run) to 30 days: seconds, hh:mm:ss or d.hh:mm:ss. Default: 60."),
        new("health-port", "PORT", "HTTP: /healthz/live, /healthz/ready and /load; 0 = a free port. Default: 8080."),
        new("health-address", "IP", "The address that health checks connect to. Default: the listen address."),
        new("python", "FILE", "The Python that executes calls of Python programs, by its path or its name on PATH; joblib-orleans is installed in its environment. Default: none, no such calls come here."),
        new("grpc", "BOOL", "Whether programs that are not .NET may connect here, by gRPC at 127.0.0.1:8071. Default: false; true where grpc-port or grpc-address is given.", IsSwitch: true),
        new("grpc-port", "PORT", "Where they connect; 0 = a free port. Default: 8071."),
        new("grpc-address", "IP", "The address that they connect to; any but a loopback address needs TLS. Default: 127.0.0.1."),
        new("dashboard", "BOOL", "Whether this silo serves a page that shows the cluster at work, at http://127.0.0.1:8787. Default: false.", IsSwitch: true),
        new("dashboard-port", "PORT", "The page's port; 0 = a free one. Default: 8787."),
        new("dashboard-address", "IP", "The address that the page is served at; any but a loopback address needs TLS and dashboard-token. Default: 127.0.0.1."),
        new("dashboard-token", "TEXT", "What visitors of the page have to know, 16 characters or more; environment or appsettings only.", OnCommandLine: false),
        new("tls-certificate", "FILE", "This silo's certificate, PEM or PFX. Default: none, no TLS."),
        new("tls-key", "FILE", "The private key of a PEM certificate. Default: in the certificate's file."),
        new("tls-password", "TEXT", "The password of the key or PFX file; environment or appsettings only.", OnCommandLine: false),
        new("tls-thumbprint", "SHA1", "A certificate of the machine's or user's store instead of a file."),
        new("tls-ca", "FILE", "The CA certificates, PEM, that vouch for other silos and clients."),
        new("tls-check-revocation", "BOOL", "Whether revocation lists are asked. Default: false."),
        new("code-cache", "DIR", "Where the code that clients send is kept; an absolute path, which silos of one host and user may share. Default: orleans-joblib/code in the user's cache directory."),
        new("code-cache-size", "BYTES", "The most bytes of it, 16M or more: a number with K, M or G behind it or none. Default: 2G."),
        new("code-idle-time", "TIME", "How long code that no run uses stays loaded, 1 second to 7 days: seconds, hh:mm:ss or d.hh:mm:ss. Default: 600."),
        new("array-folder", "DIR", "Where large arrays of clients are kept that share no memory with this host; an absolute path, which silos of one host and user should share. Default: JOBLIB_TEMP_FOLDER, /dev/shm, or the folder for temporary files."),
        new("array-store-size", "BYTES", "The most bytes of arrays there, 16M or more: a number with K, M or G behind it or none. Default: three quarters of the file system."),
        new("blobs", "ADDRESS", "The blob storage that large arrays go through between hosts: https://ACCOUNT.blob.core.windows.net[/CONTAINER] for this host's identity, or a connection string [;Container=NAME]; environment or appsettings only. Default: none, they go through the silos.", OnCommandLine: false),
        new("otlp-endpoint", "URL", "Where traces, metrics and logs go by OTLP: 'http://collector:4317'. Default: none, nothing is sent."),
        new("otlp-protocol", "KIND", "Grpc or HttpProtobuf (usually port 4318). Default: Grpc."),
        new("otlp-sources", "NAME,…", "Activity sources of calls whose spans go with them. Default: none."),
        new("prometheus", "BOOL", "Whether /metrics on the health port gives metrics to Prometheus. Default: false.", IsSwitch: true),
        new("log-level", "LEVEL", "Trace, Debug, Information, Warning, Error or None; to standard error. Default: Information (Orleans' own: Warning)."),
        new("drain-timeout", "TIME", "At SIGTERM, how long batches in hand may take to end: seconds or hh:mm:ss. Default: 30."),
        new("exit-with-parent", "PID", "Stop at once when that process is gone. Default: none."),
    ];

    internal string Variable => "JOBLIB_" + Name.Replace('-', '_').ToUpperInvariant();

    internal string Key => "Joblib:" + string.Concat(Name.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
}
