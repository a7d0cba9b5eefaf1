using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Joblib.Gateway;

namespace Orleans.Joblib;

/// <summary>Lets programs that are not .NET run calls on a cluster: gRPC, described in docs/wire-format.md. Dispose it to end it, and with it the runs that came through it.</summary>
public sealed class JoblibGateway : IAsyncDisposable
{
    // A client whose host has vanished is noticed within both.
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;

    private JoblibGateway(WebApplication app) => _app = app;

    /// <summary>Where it is, such as <c>http://127.0.0.1:8071</c>.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Starts serving.</summary>
    /// <param name="client">The cluster: a connected client, or what a silo has.</param>
    /// <param name="options">Where. Default: to this host, port 8071.</param>
    /// <param name="loggers">Where it logs. Default: nowhere.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="ArgumentException">An option is not possible; nothing was started.</exception>
    /// <exception cref="JoblibException">The port is taken, the address cannot be listened on, or a TLS file cannot be used.</exception>
    public static async Task<JoblibGateway> StartAsync(IClusterClient client, GatewayOptions? options = null, ILoggerFactory? loggers = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        options ??= new GatewayOptions();
        options.Check();
        var credentials = options.Tls is null ? null : TlsCredentials.Load(options.Tls);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        if (loggers is not null)
        {
            builder.Services.AddSingleton(loggers);
        }

        builder.Services.AddSingleton(client);
        builder.Services.AddSingleton(new GatewayBlobs(ClientBlobs.Of(options.Blobs)));
        builder.Services.AddGrpc(grpc =>
        {
            // A batch's payload has its own bound, which names the batch.
            grpc.MaxReceiveMessageSize = 2 * JoblibProtocol.MostPayloadBytes;
            grpc.MaxSendMessageSize = null;
        });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.KeepAlivePingDelay = PingDelay;
            kestrel.Limits.Http2.KeepAlivePingTimeout = PingDelay;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
            kestrel.Limits.Http2.InitialStreamWindowSize = 4 << 20;
            kestrel.Limits.Http2.MaxFrameSize = 1 << 20;
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                if (credentials is not null)
                {
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(ServerOptions(credentials, loggers)) });
                }
            });
        });
        var app = builder.Build();
        app.MapGrpcService<GatewayService>();
        await Listening.StartAsync(app, "gateway-not-started", "The gRPC port", options.Address, options.Port, cancellationToken).ConfigureAwait(false);
        return new JoblibGateway(app);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(StopPatience);
        await _app.StopAsync(patience.Token).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static SslServerAuthenticationOptions ServerOptions(TlsCredentials credentials, ILoggerFactory? loggers)
    {
        var logger = loggers?.CreateLogger<JoblibGateway>();
        var options = credentials.ForServer(reason =>
        {
            if (logger is not null)
            {
                GatewayLog.TlsRefused(logger, reason);
            }
        });
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        return options;
    }
}
