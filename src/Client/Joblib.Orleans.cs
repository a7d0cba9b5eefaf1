namespace Orleans.Joblib;

public static partial class Joblib
{
    /// <summary>Makes the backend name <c>"orleans"</c> live.</summary>
    /// <param name="client">A connected client of the cluster; not owned. A later call replaces it for every <c>Parallel</c> made after it.</param>
    /// <param name="options">What holds for loops that give no options of their own. Default: the options' own defaults.</param>
    /// <returns>Dispose it to make the name unknown again; ignoring it is fine.</returns>
    /// <remarks>As <c>register_ray()</c>.</remarks>
    public static IDisposable RegisterOrleans(IClusterClient client, OrleansBackendOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        return new BackendRegistration(BackendRegistry.Orleans, () => new OrleansBackend(client, options));
    }
}
