namespace Orleans.Joblib;

/// <summary>A backend with its workers ready.</summary>
internal sealed class ConfiguredBackend(BackendKey key, ParallelBackend backend, int nJobs)
{
    internal BackendKey Key => key;

    internal ParallelBackend Backend => backend;

    internal int NJobs => nJobs;

    internal static async ValueTask<ConfiguredBackend> CreateAsync(BackendKey key, ParallelBackend backend, CancellationToken cancellationToken)
    {
        await KeptBackends.EndIdleAsync(backend).WaitAsync(cancellationToken).ConfigureAwait(false);
        backend.Enter();
        try
        {
            while (true)
            {
                try
                {
                    var nJobs = await backend.ConfigureAsync(key.Settings, cancellationToken).ConfigureAwait(false);
                    return nJobs > 0
                        ? new ConfiguredBackend(key, backend, nJobs)
                        : throw new JoblibException("no-active-worker", $"The backend '{backend.Name}' has no active worker. Start one, or choose another backend.");
                }
                catch (FallbackToBackendException fallback)
                {
                    // The backend that will be left is the one that serves; the one that stood back is free at once.
                    await KeptBackends.EndIdleAsync(fallback.Backend).WaitAsync(cancellationToken).ConfigureAwait(false);
                    fallback.Backend.Enter();
                    fallback.Backend.NestingLevel ??= backend.NestingLevel;
                    backend.Leave();
                    backend = fallback.Backend;
                }
            }
        }
        catch (Exception)
        {
            backend.Leave();
            throw;
        }
    }
}
