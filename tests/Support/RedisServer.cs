namespace Orleans.Joblib.Tests;

/// <summary>A Redis server of its own process (Microsoft.Garnet), in memory only: what it held is gone when it is killed. Ends with the test process.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly Lazy<Task<RedisServer>> Shared = new(() => StartAsync());
    private readonly string _address;
    private readonly string? _password;
    private ChildProcess? _process;

    private RedisServer(string address, int port, string? password) => (_address, Port, _password) = (address, port, password);

    public int Port { get; }

    /// <summary>The present process.</summary>
    public int ProcessId => _process!.Id;

    public string Host => $"{_address}:{Port}";

    /// <summary>The one of all tests that do nothing to it; started by the first.</summary>
    public static Task<RedisServer> SharedAsync() => Shared.Value;

    /// <summary>Starts one and waits until it answers.</summary>
    public static async Task<RedisServer> StartAsync(string address = "127.0.0.1", string? password = null)
    {
        for (var tries = 1; ; tries++)
        {
            var server = new RedisServer(address, FreePorts.Next(), password);
            try
            {
                await server.RestartAsync();
                return server;
            }
            catch (HungException) when (tries < 3)
            {
                // Another process took the port in between.
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>The cluster string of a cluster there.</summary>
    public string ClusterString(string cluster) => $"redis://{(_password is null ? "" : $":{Uri.EscapeDataString(_password)}@")}{Host}?cluster={cluster}";

    /// <summary>As <c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        if (_process is not null)
        {
            await _process.KillAsync();
            _process.Dispose();
            _process = null;
        }
    }

    /// <summary>Starts it again, on the same port and empty.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        _process = ChildProcess.Start("RedisProgram", [_address, Port.ToString(), .. _password is null ? [] : new[] { _password }]);
        await _process.LineAsync("redis-host ready");
    }

    /// <summary>Stops it in its tracks: connections stay open and nothing answers.</summary>
    public void Pause() => _process!.Pause();

    public void Continue() => _process!.Continue();

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        return ValueTask.CompletedTask;
    }
}
