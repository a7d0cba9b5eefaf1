using Microsoft.Extensions.DependencyInjection;
using Orleans.Joblib;

namespace Orleans.Hosting;

/// <summary>Registers a cluster client as the backend <c>"orleans"</c>.</summary>
public static class JoblibClientBuilderExtensions
{
    /// <summary>While the host runs, the backend name <c>"orleans"</c> stands for this client.</summary>
    /// <param name="builder">The client.</param>
    /// <param name="configure">Leases and time limits. Default: see <see cref="JoblibClientOptions"/>.</param>
    /// <returns>The same builder.</returns>
    public static IClientBuilder AddJoblib(this IClientBuilder builder, Action<JoblibClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddJoblib(configure);
        return builder;
    }
}
