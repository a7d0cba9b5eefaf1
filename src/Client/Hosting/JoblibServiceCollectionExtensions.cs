using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Joblib;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers a host's cluster client as the backend <c>"orleans"</c>.</summary>
public static class JoblibServiceCollectionExtensions
{
    /// <summary>While the host runs, the backend name <c>"orleans"</c> stands for its cluster client, and runs log through its loggers unless the program set <see cref="Joblib.LoggerFactory"/>.</summary>
    /// <param name="services">The host's services; they hold an <c>IClusterClient</c>, from <c>UseOrleansClient</c> or <c>UseOrleans</c>.</param>
    /// <param name="configure">Leases and time limits. Default: see <see cref="JoblibClientOptions"/>.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="OptionsValidationException">At start: an option is out of its range; all faults are reported together.</exception>
    public static IServiceCollection AddJoblib(this IServiceCollection services, Action<JoblibClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<JoblibClientOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<JoblibClientOptions>, JoblibClientOptionsValidator>());
        services.AddHostedService<OrleansRegistrationService>();
        return services;
    }
}
