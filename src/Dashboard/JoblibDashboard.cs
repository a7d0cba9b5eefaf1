using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>A page that shows a cluster at work, served by this process. Dispose it to end it.</summary>
/// <remarks>It asks the cluster's silos only while somebody has the page open.</remarks>
public sealed class JoblibDashboard : IAsyncDisposable
{
    /// <summary>Where Orleans' own dashboard is, if it is here.</summary>
    internal const string GrainsPath = "/orleans";

    private readonly WebApplication _app;
    private readonly DashboardFeed _feed;

    private JoblibDashboard(WebApplication app, DashboardFeed feed) => (_app, _feed) = (app, feed);

    /// <summary>Where the page is, such as <c>http://127.0.0.1:8787</c>.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Starts serving.</summary>
    /// <param name="client">The cluster: a connected client, or what a silo has.</param>
    /// <param name="options">Where, and to whom. Default: to this host, port 8787.</param>
    /// <param name="loggers">Where it logs. Default: nowhere.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="ArgumentException">An option is not possible; nothing was started.</exception>
    /// <exception cref="JoblibException">The port is taken, or the address cannot be listened on.</exception>
    public static Task<JoblibDashboard> StartAsync(IGrainFactory client, DashboardOptions? options = null, ILoggerFactory? loggers = null, CancellationToken cancellationToken = default) =>
        StartAsync(client, options, loggers, null, cancellationToken);

    /// <param name="client">The cluster.</param>
    /// <param name="options">Where, and to whom.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="grains">Answers what is under <see cref="GrainsPath"/>, for visitors who were let in.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    internal static async Task<JoblibDashboard> StartAsync(IGrainFactory client, DashboardOptions? options, ILoggerFactory? loggers, RequestDelegate? grains, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        options ??= new DashboardOptions();
        options.Check();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        if (loggers is not null)
        {
            builder.Services.AddSingleton(loggers);
        }

        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 16 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 256;
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                if (options.Credentials is { } credentials)
                {
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(credentials.ForVisitors()) });
                }
                else if (options.Certificate is { } certificate)
                {
                    listen.UseHttps(certificate);
                }
            });
        });
        var app = builder.Build();
        var feed = new DashboardFeed(new ClusterMonitor(client), options, grains is null ? null : GrainsPath + "/");
        var pages = new DashboardPages(feed, new DashboardAccess(options));
        app.Use(pages.GuardAsync);
        if (grains is not null)
        {
            app.Use((context, next) => context.Request.Path.StartsWithSegments(GrainsPath, StringComparison.Ordinal) ? grains(context) : next(context));
        }

        pages.Map(app);
        await Listening.StartAsync(app, "dashboard-not-started", "The dashboard's port", options.Address, options.Port, cancellationToken).ConfigureAwait(false);
        return new JoblibDashboard(app, feed);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Open pages first: a server waits for its requests.
        await _feed.DisposeAsync().ConfigureAwait(false);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(patience.Token).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }
}
