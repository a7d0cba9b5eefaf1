using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using StackExchange.Redis;

namespace Orleans.Joblib.Silo;

/// <summary>Runs one silo from its start to a signal: start, one line when ready, drain, stop.</summary>
internal static class SiloProgram
{
    private const int MostPortTries = 5;
    private static readonly TimeSpan RedisTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PrimaryTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastGrace = TimeSpan.FromSeconds(2);

    internal static async Task RunAsync(SiloHostOptions options)
    {
        using var signals = new StopSignals();
        using var parent = options.ExitWithParent is { } id ? new ParentWatch(id) : null;
        ConnectionMultiplexer? redis = null;
        try
        {
            ListeningPorts.Check(options);
            if (options.Cluster.IsRedis)
            {
                redis = await RedisConnection.OpenAsync(options.Cluster, RedisTimeout, signals.Token).ConfigureAwait(false);
            }
            else if (options.SiloPort != options.PrimaryPort)
            {
                await AwaitPrimaryAsync(options.PrimaryPort, signals.Token).ConfigureAwait(false);
            }

            await RunAsync(options, redis, signals).ConfigureAwait(false);
        }
        catch (Exception exception) when (signals.Token.IsCancellationRequested && (exception is OperationCanceledException || exception.InnerException is OperationCanceledException))
        {
            // Stopped as asked, before it was ready.
        }
        finally
        {
            if (redis is not null)
            {
                await redis.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Without Redis the silo on the primary port knows who belongs to the cluster. Orleans would ask for it for minutes, and not say what is missing.</summary>
    private static async Task AwaitPrimaryAsync(int port, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var toldWhy = false;
        while (true)
        {
            using var socket = new TcpClient();
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (SocketException exception)
            {
                if (!toldWhy)
                {
                    toldWhy = true;
                    await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"joblib-silo: waiting for the silo on the primary port {port}")).ConfigureAwait(false);
                }

                if (Stopwatch.GetElapsedTime(began) > PrimaryTimeout)
                {
                    throw new JoblibException(
                        "silo-not-started",
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"No silo listens on the primary port {port} of this host, which cluster 'localhost' needs (waited '{PrimaryTimeout}'). Start one with --silo-port {port} --primary-port {port}, or name its port with --primary-port."),
                        exception);
                }
            }

            await Task.Delay(100, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task RunAsync(SiloHostOptions options, ConnectionMultiplexer? redis, StopSignals signals)
    {
        // Beside the silo's own start: interpreters take a moment.
        var python = options.Python is { } executable ? PythonProgram.CheckAsync(executable, signals.Token) : null;
        var health = new SiloHealth();
        var app = await StartAsync(options, redis, health, signals.Token).ConfigureAwait(false);
        await using (app.ConfigureAwait(false))
        {
            JoblibDashboard? dashboard = null;
            JoblibGateway? gateway = null;
            var exitCode = SiloCommand.Failed;
            try
            {
                await SayPythonAsync(app, options, python, signals.Token).ConfigureAwait(false);
                dashboard = await ServeDashboardAsync(app, options, signals.Token).ConfigureAwait(false);
                gateway = await ServeGatewayAsync(app, options, signals.Token).ConfigureAwait(false);
                app.Services.GetRequiredService<SiloDrain>().StopWith(signals.Ask);
                health.IsReady = true;
                HostLog.SiloReady(
                    app.Services.GetRequiredService<ILogger<SiloHealth>>(), app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString(), app.Services.GetRequiredService<SiloWorkers>().Status.Size);
                await Console.Out.WriteLineAsync(ReadyLine(app, options, dashboard, gateway)).ConfigureAwait(false);
                await Console.Out.FlushAsync().ConfigureAwait(false);

                await signals.First.ConfigureAwait(false);
                health.IsReady = false;
                var drained = app.Services.GetRequiredService<SiloWorkers>().DrainAsync(options.DrainTimeout);
                await Task.WhenAny(drained, signals.Second).ConfigureAwait(false);
                exitCode = 0;
            }
            finally
            {
                await Task.WhenAll(new IAsyncDisposable?[] { dashboard, gateway }.OfType<IAsyncDisposable>().Select(served => served.DisposeAsync().AsTask())).ConfigureAwait(false);
                await StopAsync(app, exitCode).ConfigureAwait(false);
            }
        }
    }

    private static async Task StopAsync(WebApplication app, int exitCode)
    {
        // Without Redis, Orleans' goodbye is tried again and again.
        using var last = new Timer(_ => Environment.Exit(exitCode), null, StopTimeout + LastGrace, Timeout.InfiniteTimeSpan);
        using var timeout = new CancellationTokenSource(StopTimeout);
        await app.StopAsync(timeout.Token).ConfigureAwait(false);
    }

    /// <summary>The line that whoever started the program waits for.</summary>
    private static string ReadyLine(WebApplication app, SiloHostOptions options, JoblibDashboard? dashboard, JoblibGateway? grpc)
    {
        var silo = app.Services.GetRequiredService<ILocalSiloDetails>();
        var workers = app.Services.GetRequiredService<SiloWorkers>();
        if (options.Json)
        {
            return JsonSerializer.Serialize(new
            {
                silo = silo.SiloAddress.ToParsableString(),
                gateway = silo.GatewayAddress?.Endpoint.ToString(),
                health = app.Urls.First(),
                slots = workers.Status.Size,
                cluster = options.Cluster.ToString(),
                dashboard = dashboard?.Address.GetLeftPart(UriPartial.Authority),
                grpc = grpc?.Address.Authority,
                pid = Environment.ProcessId,
            });
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"joblib-silo ready silo={silo.SiloAddress.ToParsableString()} gateway={silo.GatewayAddress?.Endpoint} health={app.Urls.First()} slots={workers.Status.Size} cluster={options.Cluster}{(dashboard is null ? "" : " dashboard=" + dashboard.Address.GetLeftPart(UriPartial.Authority))}{(grpc is null ? "" : " grpc=" + grpc.Address.Authority)} pid={Environment.ProcessId}");
    }

    private static async Task<JoblibDashboard?> ServeDashboardAsync(WebApplication app, SiloHostOptions options, CancellationToken cancellationToken)
    {
        if (options.Dashboard is not { } dashboard)
        {
            return null;
        }

        return await JoblibDashboard.StartAsync(
            app.Services.GetRequiredService<IGrainFactory>(),
            dashboard with { ClusterName = options.Cluster.ToString(), Credentials = IPAddress.IsLoopback(dashboard.Address) ? null : TlsCredentials.Load(options.Tls!) },
            app.Services.GetRequiredService<ILoggerFactory>(),
            GrainDashboard.Pages(app.Services, JoblibDashboard.GrainsPath),
            cancellationToken).ConfigureAwait(false);
    }

    private static async Task SayPythonAsync(WebApplication app, SiloHostOptions options, Task<string>? check, CancellationToken cancellationToken)
    {
        if (check is null)
        {
            return;
        }

        HostLog.PythonFound(app.Services.GetRequiredService<ILogger<SiloHealth>>(), options.Python!, await check.ConfigureAwait(false));
    }

    private static async Task<JoblibGateway?> ServeGatewayAsync(WebApplication app, SiloHostOptions options, CancellationToken cancellationToken)
    {
        if (options.Grpc is not { } grpc)
        {
            return null;
        }

        return await JoblibGateway.StartAsync(
            app.Services.GetRequiredService<IClusterClient>(), grpc with { Blobs = options.Blobs }, app.Services.GetRequiredService<ILoggerFactory>(), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<WebApplication> StartAsync(SiloHostOptions options, ConnectionMultiplexer? redis, SiloHealth health, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var silo = new IPEndPoint(options.ListenAddress, options.SiloPort == 0 ? ListeningPorts.Free(options.ListenAddress) : options.SiloPort);
            var gateway = new IPEndPoint(options.ListenAddress, options.GatewayPort == 0 ? ListeningPorts.Free(options.ListenAddress) : options.GatewayPort);
            var app = Build(options, redis, health, silo, gateway);
            try
            {
                // A silo whose cache cannot be written would refuse every run.
                app.Services.GetRequiredService<CodeStore>().Open();
                await app.StartAsync(cancellationToken).ConfigureAwait(false);
                return app;
            }
            catch (Exception exception)
            {
                await app.DisposeAsync().ConfigureAwait(false);

                // Orleans has an exception of its own for it.
                cancellationToken.ThrowIfCancellationRequested();
                if (exception is JoblibException)
                {
                    throw;
                }

                if (exception is OrleansConfigurationException)
                {
                    throw new JoblibException("silo-not-started", exception.Message, exception);
                }

                // Somebody else has the port. Between finding one free and listening on it, another process may have taken it: then another is tried.
                var isTaken = IsTaken(exception) || IsTaken(exception.InnerException);
                if (!isTaken || options is not ({ SiloPort: 0 } or { GatewayPort: 0 }) || tries == MostPortTries)
                {
                    throw new JoblibException(
                        "silo-not-started",
                        isTaken
                            ? $"A port is taken by another process (silo '{silo}', gateway '{gateway}', health '{options.HealthAddress}:{options.HealthPort}'): {exception.Message} Choose others, or 0 for free ones."
                            : $"The silo did not start: {exception.Message} Its log says more.",
                        exception);
                }
            }
        }
    }

    private static WebApplication Build(SiloHostOptions options, ConnectionMultiplexer? redis, SiloHealth health, IPEndPoint silo, IPEndPoint gateway)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(options.HealthAddress, options.HealthPort));
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });

        // Standard output is for the ready line.
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(options.LogLevel < LogLevel.Information ? options.LogLevel : (LogLevel)Math.Max((int)options.LogLevel, (int)LogLevel.Warning));
        builder.Logging.AddFilter("Orleans.Joblib", options.LogLevel);
        if (options.LogLevel >= LogLevel.Information)
        {
            // Two warnings at every start, about server garbage collection, which a program with workers of its own on every core does better without.
            builder.Logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);

            // It measures its first period from the machine's start and warns of hours.
            builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        }

        SiloTelemetry.Add(builder, options, silo);
        builder.UseOrleans(orleans => Configure(orleans, options, redis, silo, gateway));

        // For loops inside calls that name "orleans".
        builder.Services.AddJoblib();

        var app = builder.Build();
        app.MapGet("/healthz/live", () => Results.Text("live\n"));
        app.MapGet("/healthz/ready", () => health.IsReady ? Results.Text("ready\n") : Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        SiloTelemetry.Map(app, options);
        app.MapGet("/load", async (MembershipView membership, IGrainFactory grains) => Results.Json(await ClusterLoad.AskAsync(membership, grains).ConfigureAwait(false)));
        return app;
    }

    private static void Configure(ISiloBuilder orleans, SiloHostOptions options, ConnectionMultiplexer? redis, IPEndPoint silo, IPEndPoint gateway)
    {
        if (redis is null)
        {
            orleans.UseDevelopmentClustering(new IPEndPoint(IPAddress.Loopback, options.PrimaryPort));
        }
        else
        {
            orleans.UseRedisClustering(membership =>
            {
                membership.ConfigurationOptions = RedisConnection.Configuration(options.Cluster);
                membership.CreateMultiplexer = _ => Task.FromResult<(IConnectionMultiplexer, bool)>((redis, true));
            });
        }

        if (redis is not null)
        {
            orleans.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<MembershipKeeper>(services, redis, RedisConnection.MembersOf(options.Cluster)));
        }

        orleans.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = options.Cluster.Cluster;
            cluster.ServiceId = RedisConnection.ServiceId;
        });
        orleans.Configure<EndpointOptions>(endpoints =>
        {
            endpoints.AdvertisedIPAddress = options.AdvertisedAddress;
            endpoints.SiloPort = silo.Port;
            endpoints.GatewayPort = gateway.Port;
            endpoints.SiloListeningEndpoint = silo;
            endpoints.GatewayListeningEndpoint = gateway;
        });
        orleans.Configure<ClusterMembershipOptions>(Membership.Tune);
        orleans.AddJoblibWorkers(workers =>
        {
            workers.Slots = options.Slots;
            workers.SlotsPerCore = options.SlotsPerCore;
            workers.Workers = options.Workers;
            workers.IdleWorkerTimeout = options.IdleWorkerTimeout;
            workers.Python = options.Python;
        });
        orleans.Services.Configure<SiloArrayOptions>(arrays =>
        {
            arrays.Folder = options.ArrayFolder;
            arrays.MaxBytes = options.ArrayStoreSize;
            arrays.Blobs = options.Blobs;
        });
        orleans.Services.Configure<CodeCacheOptions>(cache =>
        {
            cache.Directory = options.CodeCache;
            cache.MaxBytes = options.CodeCacheSize;
            cache.IdleTime = options.CodeIdleTime;
        });
        GrainDashboard.Configure(orleans, isServed: options.Dashboard is not null);
        if (options.Tls is { } tls)
        {
            orleans.UseJoblibTls(tls);
        }
    }

    private static bool IsTaken(Exception? exception) =>
        exception is Microsoft.AspNetCore.Connections.AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse };
}
