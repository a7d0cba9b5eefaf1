using Microsoft.Extensions.Hosting;

namespace Orleans.Joblib;

/// <summary>For a host inside of a program: signals are the program's own business.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
