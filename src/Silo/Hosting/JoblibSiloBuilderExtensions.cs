using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Joblib.Silo;
using Orleans.Runtime.Hosting;

namespace Orleans.Hosting;

/// <summary>Gives a silo Orleans.Joblib's workers.</summary>
public static class JoblibSiloBuilderExtensions
{
    /// <summary>Lets this silo run calls: a pool of dedicated worker threads beside its grains.</summary>
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
        builder.Services.TryAddSingleton<Membership>();
        builder.Services.TryAddSingleton<SiloCodecs>();
        builder.Services.TryAddSingleton<SiloWorkers>();
        builder.Services.AddOptions<CodeCacheOptions>().ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CodeCacheOptions>, CodeCacheOptionsValidator>());
        builder.Services.TryAddSingleton<CodeStore>();
        builder.Services.TryAddSingleton<CodeUploads>();
        builder.Services.TryAddSingleton<CodeContexts>();
        builder.Services.AddPlacementDirector<SlotPlacement, SlotPlacementDirector>();
        return builder;
    }
}
