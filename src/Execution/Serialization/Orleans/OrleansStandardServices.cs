using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Serialization.Configuration;

namespace Orleans.Joblib;

/// <summary>Orleans' serializer as it is without users' types.</summary>
/// <remarks>
/// Orleans looks for its parts in every assembly that is loaded, and throws for a part that is not there, as in code that came without the parts it does not use: so this
/// is made before such code is loaded. It adds what it finds; two loads of one assembly, or two of its versions, do not fit into one registry, and must not be held from here.
/// </remarks>
internal static class OrleansStandardServices
{
    // The one instance among them is its builder, which is done, and refers to all that it found.
    internal static ServiceDescriptor[] All { get; } =
    [
        .. new ServiceCollection().AddSerializer()
            .Where(service => service.ImplementationInstance is null)
            .Where(service => service.ServiceType != typeof(IConfigureOptions<TypeManifestOptions>)
                || service.ImplementationType is not { } provider || SharedCode.IsShared(provider.Assembly)),
    ];

    /// <summary>To be called before code of others is loaded.</summary>
    internal static void Prepare() => _ = All;
}
