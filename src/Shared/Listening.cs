using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;

namespace Orleans.Joblib;

/// <summary>Starts a server inside of a program. One file, compiled into the dashboard and the gateway.</summary>
internal static class Listening
{
    /// <param name="app">The server; disposed when it does not start.</param>
    /// <param name="heading">What docs/errors.md calls it when it does not.</param>
    /// <param name="port">What its port is called.</param>
    /// <param name="address">Where it listens.</param>
    /// <param name="number">At which port.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="JoblibException">The port is taken, or the address cannot be listened on.</exception>
    internal static async Task StartAsync(WebApplication app, string heading, string port, IPAddress address, int number, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            if (exception is OperationCanceledException)
            {
                throw;
            }

            var what = exception is AddressInUseException or { InnerException: AddressInUseException }
                ? "is taken by another process. Choose another, or 0 for a free one."
                : $"cannot be listened on: {exception.Message} Choose an address of this host, and a port that this user may use.";
            throw new JoblibException(heading, string.Create(CultureInfo.InvariantCulture, $"{port} {number} of '{address}' {what}"), exception);
        }
    }
}
