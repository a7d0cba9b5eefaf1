using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>A local cluster under a backend name of its own, so that clusters of several test classes live side by side. What could not travel is refused.</summary>
public abstract class ClusterFixture(string name, int silos, int slotsPerSilo) : IAsyncLifetime
{
    private LocalCluster? _cluster;
    private BackendRegistration? _registration;

    public LocalCluster Cluster => _cluster ?? throw new InvalidOperationException("The cluster has not been started.");

    public async ValueTask InitializeAsync()
    {
        _cluster = await LocalCluster.StartAsync(silos, slotsPerSilo);
        _registration = new BackendRegistration(name, () => new OrleansBackend(_cluster.Client, new OrleansBackendOptions { VerifyTravel = true }));
    }

    public async ValueTask DisposeAsync()
    {
        _registration?.Dispose();
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}
