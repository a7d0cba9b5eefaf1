namespace Orleans.Joblib;

/// <summary>The cluster that <c>JOBLIB_ORLEANS_CLUSTER</c> names: connected when a loop first needs it, one connection a process, closed when the process exits.</summary>
internal static class EnvironmentCluster
{
    internal const string Variable = "JOBLIB_ORLEANS_CLUSTER";

    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static JoblibCluster? _cluster;
    private static string? _connectedTo;

    internal static bool IsSet => !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The client; connects where nobody has yet. A failure is not kept: the next loop tries again.</summary>
    internal static async ValueTask<IClusterClient> ClientAsync(CancellationToken cancellationToken)
    {
        var address = Environment.GetEnvironmentVariable(Variable) ?? "";
        await Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_cluster is null || _connectedTo != address)
            {
                var connected = await JoblibCluster.ConnectAsync(address, cancellationToken: cancellationToken).ConfigureAwait(false);
                if (_connectedTo is null)
                {
                    AppDomain.CurrentDomain.ProcessExit += static (_, _) => _cluster?.Dispose();
                }
                else if (_cluster is { } former)
                {
                    await former.DisposeAsync().ConfigureAwait(false);
                }

                _connectedTo = address;
                _cluster = connected;
            }

            return _cluster.Client;
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>Closes the connection; the next loop makes a new one.</summary>
    internal static async Task DisconnectAsync()
    {
        await Gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_cluster is { } cluster)
            {
                _cluster = null;
                await cluster.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            Gate.Release();
        }
    }
}
