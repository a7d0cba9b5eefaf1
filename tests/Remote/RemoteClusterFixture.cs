using Xunit;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>Silos in processes of their own under a backend name of their own.</summary>
public abstract class RemoteClusterFixture(string name, int silos, int slotsPerSilo, params string[] arguments) : IAsyncLifetime
{
    private SiloCluster? _silos;
    private JoblibCluster? _connection;
    private BackendRegistration? _registration;

    public SiloCluster Silos => _silos ?? throw new InvalidOperationException("The cluster has not been started.");

    public IClusterClient Client => _connection!.Client;

    public async ValueTask InitializeAsync()
    {
        _silos = await SiloCluster.StartAsync(silos, slotsPerSilo, arguments);
        _connection = await _silos.ConnectAsync();
        _registration = new BackendRegistration(name, () => new OrleansBackend(_connection.Client));
    }

    public async ValueTask DisposeAsync()
    {
        _registration?.Dispose();
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        if (_silos is not null)
        {
            await _silos.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}
