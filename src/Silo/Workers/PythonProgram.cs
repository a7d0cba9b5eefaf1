using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>Workers that execute calls of Python programs: <c>python -m joblib_orleans.worker</c>.</summary>
/// <param name="executable">The Python.</param>
/// <param name="prepare">What each takes in first: the client's module paths, versions and initializer.</param>
internal sealed class PythonProgram(string executable, byte[] prepare) : IWorkerProgram
{
    private const string Module = "joblib_orleans.worker";
    private static readonly TimeSpan CheckPatience = TimeSpan.FromSeconds(20);

    public object Key { get; } = $"{executable} {Convert.ToHexString(SHA256.HashData(prepare))}";

    public IDisposable? Hold() => null;

    public PoolSettings Settings(IReadOnlyDictionary<string, string> environment, Func<string, ILogger> loggers) => new()
    {
        Command = new WorkerCommand(executable, ["-m", Module], new Dictionary<string, string>()),
        Environment = environment,
        Code = NoCode.Instance,
        Initializer = prepare,
        ReadInitializerFailure = (payload, worker) => new JoblibException(
            "python-worker", $"The Python worker process {worker} on '{Environment.MachineName}' ('{executable}') could not be prepared, and made no call: {Encoding.UTF8.GetString(payload.Span)}"),
        Loggers = loggers,
    };

    /// <summary>Whether workers of an interpreter would start.</summary>
    /// <returns>Its versions, for people.</returns>
    /// <exception cref="JoblibException">They would not; the message says what the interpreter said.</exception>
    internal static async Task<string> CheckAsync(string executable, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(CheckPatience);
        Process? process = null;
        try
        {
            process = Process.Start(new ProcessStartInfo(executable, ["-m", Module, "--version"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
            return process.ExitCode == 0
                ? (await output.ConfigureAwait(false)).Trim()
                : throw Unusable(executable, (await errors.ConfigureAwait(false)).Trim().Split('\n')[^1], null);
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or IOException)
        {
            throw Unusable(executable, exception.Message, exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unusable(executable, $"it did not answer within '{CheckPatience}'", exception);
        }
        finally
        {
            if (process is { HasExited: false })
            {
                process.Kill(entireProcessTree: true);
            }

            process?.Dispose();
        }
    }

    private static JoblibException Unusable(string executable, string why, Exception? cause) => new(
        "silo-without-python", $"The Python '{executable}' cannot execute calls: {why}. Give --python the path of an interpreter whose environment has joblib-orleans (python -m pip install joblib-orleans), or leave it out.", cause);

    private sealed class NoCode : IWorkerCodeSource
    {
        internal static readonly NoCode Instance = new();

        public IReadOnlyList<Frame> FramesFrom(ref int sent) => [];
    }
}
