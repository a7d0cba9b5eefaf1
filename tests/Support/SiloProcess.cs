using System.Net;
using Orleans.Runtime;

namespace Orleans.Joblib.Tests;

/// <summary>The silo executable as a real process. It never outlives the test process.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private Dictionary<string, string> _ready = [];

    private SiloProcess(ChildProcess process) => _process = process;

    public SiloAddress Address => SiloAddress.FromParsableString(_ready["silo"]);

    public IPEndPoint Gateway => IPEndPoint.Parse(_ready["gateway"]);

    public Uri Health => new(_ready["health"]);

    public Uri Dashboard => new(_ready["dashboard"]);

    /// <summary>Where programs that are not .NET connect.</summary>
    public string Grpc => _ready["grpc"];

    public int Id => _process.Id;

    public int Slots => int.Parse(_ready["slots"]);

    public bool HasExited => _process.HasExited;

    /// <summary>All that it wrote so far, to standard output and standard error.</summary>
    public string Output => _process.Output;

    /// <summary>Starts a silo on free ports and waits until it is ready.</summary>
    public static async Task<SiloProcess> StartAsync(params IEnumerable<string> arguments)
    {
        string[] given = [.. arguments];
        var silo = Launch([.. given, .. new[] { "--silo-port", "--gateway-port", "--health-port" }.Where(port => !given.Contains(port)).SelectMany(port => new[] { port, "0" })]);
        try
        {
            await silo.ReadyAsync();
            return silo;
        }
        catch (Exception)
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the program with these arguments and waits for nothing.</summary>
    public static SiloProcess Launch(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? networkNamespace = null, string[]? prefix = null) =>
        new(ChildProcess.Start("SiloProgram", [.. arguments, .. ParentOption(arguments)], environment, networkNamespace, prefix));

    /// <summary>Waits for the line that says it is ready.</summary>
    public async Task ReadyAsync()
    {
        var line = await _process.LineAsync("joblib-silo ready ");
        _ready = line.Split(' ').Select(part => part.Split('=', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>SIGTERM.</summary>
    public void Terminate() => _process.Terminate();

    /// <summary>SIGSTOP.</summary>
    public void Pause() => _process.Pause();

    /// <summary>SIGCONT.</summary>
    public void Continue() => _process.Continue();

    /// <summary>Waits for the end and gives the exit code.</summary>
    public Task<int> ExitAsync() => _process.ExitAsync();

    public ValueTask DisposeAsync()
    {
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string[] ParentOption(IEnumerable<string> arguments) =>
        arguments.Contains("--help") ? [] : ["--exit-with-parent", Environment.ProcessId.ToString()];
}
