namespace Orleans.Joblib;

/// <summary>A backend with its workers ready.</summary>
internal sealed class ConfiguredBackend(BackendKey key, ParallelBackend requested, ParallelBackend backend, int nJobs)
{
    internal BackendKey Key => key;

    /// <summary>The backend that was asked for; another one than <see cref="Backend"/> when it fell back.</summary>
    internal ParallelBackend Requested => requested;

    internal ParallelBackend Backend => backend;

    internal int NJobs => nJobs;

    internal static async ValueTask<ConfiguredBackend> CreateAsync(BackendKey key, ParallelBackend requested, CancellationToken cancellationToken)
    {
        var backend = requested;
        while (true)
        {
            try
            {
                var nJobs = await backend.ConfigureAsync(key.Settings, cancellationToken).ConfigureAwait(false);
                return nJobs > 0
                    ? new ConfiguredBackend(key, requested, backend, nJobs)
                    : throw new JoblibException("no-active-worker", $"The backend '{backend.Name}' has no active worker. Start one, or choose another backend.");
            }
            catch (FallbackToBackendException fallback)
            {
                backend = fallback.Backend;
            }
        }
    }
}
