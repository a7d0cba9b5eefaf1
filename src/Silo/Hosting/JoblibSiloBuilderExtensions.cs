using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Joblib;
using Orleans.Joblib.Silo;
using Orleans.Runtime.Hosting;

namespace Orleans.Hosting;

/// <summary>Gives a silo Orleans.Joblib's workers.</summary>
public static class JoblibSiloBuilderExtensions
{
    /// <summary>Lets this silo run calls: a pool of dedicated worker threads beside its grains, or of worker processes.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="configure">Its workers. Default: one per core.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="OptionsValidationException">At start: an option is out of its range; all faults are reported together.</exception>
    public static ISiloBuilder AddJoblibWorkers(this ISiloBuilder builder, Action<SiloWorkerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<SiloWorkerOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SiloWorkerOptions>, SiloWorkerOptionsValidator>());
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<MembershipView>();
        builder.Services.TryAddSingleton<SiloCodecs>();
        builder.Services.TryAddSingleton<SiloProcesses>();
        builder.Services.TryAddSingleton<TaskStream>();
        builder.Services.TryAddSingleton<RunBoard>();
        builder.Services.TryAddSingleton<SiloWorkers>();
        builder.Services.TryAddSingleton<SiloDrain>();
        builder.Services.AddOptions<CodeCacheOptions>().ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CodeCacheOptions>, CodeCacheOptionsValidator>());
        builder.Services.TryAddSingleton<CodeStore>();
        builder.Services.TryAddSingleton<CodeUploads>();
        builder.Services.TryAddSingleton<CodeContexts>();
        builder.Services.AddOptions<SiloArrayOptions>().ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SiloArrayOptions>, SiloArrayOptionsValidator>());
        builder.Services.TryAddSingleton<SiloArrays>();
        builder.Services.AddPlacementDirector<SlotPlacement, SlotPlacementDirector>();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Transient<IConfigurationValidator, LoopbackRule>());
        return builder;
    }

    /// <summary>Lets in, from other silos and from clients, only who shows a certificate of the cluster's CA, and shows this silo's own to them.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="options">Certificate and trust.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="JoblibException">A file cannot be used; all faults are reported together.</exception>
    public static ISiloBuilder UseJoblibTls(this ISiloBuilder builder, JoblibTlsOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        var credentials = TlsCredentials.Load(options);
        builder.Services.PostConfigure<SiloWorkerOptions>(workers => workers.HasTls = true);
        builder.Services.AddOptions<SiloConnectionOptions>().Configure<ILoggerFactory>((connections, loggers) =>
        {
            var logger = loggers.CreateLogger<SiloWorkers>();
            connections.ConfigureSiloInboundConnection(pipe => pipe.UseMutualTlsAsServer(credentials, reason => SiloLog.TlsRefused(logger, reason)));
            connections.ConfigureSiloOutboundConnection(pipe => pipe.UseMutualTlsAsClient(credentials, reason => SiloLog.TlsRefused(logger, reason)));
            connections.ConfigureGatewayInboundConnection(pipe => pipe.UseMutualTlsAsServer(credentials, reason => SiloLog.TlsRefused(logger, reason)));
        });
        return builder;
    }
}
