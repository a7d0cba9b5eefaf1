using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Orleans.Joblib;

/// <summary>Registers the host's cluster client while the host runs.</summary>
internal sealed class OrleansRegistrationService(IClusterClient client, IOptions<JoblibClientOptions> options, ILoggerFactory loggers) : IHostedService, IDisposable
{
    private BackendRegistration? _registration;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var standard = new OrleansBackendOptions { Lease = options.Value.Lease, ConnectTimeout = options.Value.ConnectTimeout, VerifyTravel = options.Value.VerifyTravel };
        _registration = new BackendRegistration(BackendRegistry.Orleans, () => new OrleansBackend(client, standard), options.Value.MakeDefault);
        Joblib.LoggerFactory ??= loggers;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _registration?.Dispose();
        if (ReferenceEquals(Joblib.LoggerFactory, loggers))
        {
            Joblib.LoggerFactory = null;
        }
    }
}
