using Xunit;

namespace Orleans.Joblib.Tests.Cli;

/// <summary>Two silo processes for commands that change nothing about them.</summary>
[CollectionDefinition(nameof(CliFixture))]
public sealed class CliFixture : IAsyncLifetime, ICollectionFixture<CliFixture>
{
    private SiloCluster? _cluster;
    private JoblibCluster? _connection;

    public SiloCluster Cluster => _cluster!;

    public IClusterClient Client => _connection!.Client;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SiloCluster.StartAsync(2);
        _connection = await _cluster.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}
