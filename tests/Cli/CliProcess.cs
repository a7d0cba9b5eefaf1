using System.Text.Json;

namespace Orleans.Joblib.Tests.Cli;

/// <summary>orleans-joblib as a real process. It never outlives the test that started it.</summary>
internal sealed class CliProcess : IDisposable
{
    private const int Interrupt = 2;

    private readonly ChildProcess _process;

    private CliProcess(ChildProcess process) => _process = process;

    internal int Id => _process.Id;

    internal static CliProcess Launch(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null) =>
        new(ChildProcess.Start("CliProgram", arguments, environment));

    /// <summary>Runs a command to its end. A busy machine takes its time: nothing here is about how long, unless the arguments say so.</summary>
    internal static Task<CliAnswer> RunAsync(params IEnumerable<string> arguments) => RunAsync(arguments, null);

    internal static async Task<CliAnswer> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment)
    {
        string[] given = [.. arguments];
        using var process = Launch(given.Contains("--connect-timeout") ? given : [.. given, "--connect-timeout", Patience.Limit.TotalSeconds.ToString()], environment);
        return await process.AnswerAsync();
    }

    internal async Task<CliAnswer> AnswerAsync() => new(await _process.ExitAsync(), _process.Output);

    /// <summary>Waits for a line of JSON that is so, and gives it.</summary>
    internal JsonElement Until(Func<JsonElement, bool> condition, string what)
    {
        JsonElement? found = null;
        Patience.Until(
            () =>
            {
                // The last line may be there in part.
                foreach (var line in _process.Output.Split('\n')[..^1].Where(line => line.StartsWith('{')))
                {
                    using var document = JsonDocument.Parse(line);
                    if (condition(document.RootElement))
                    {
                        found = document.RootElement.Clone();
                        return true;
                    }
                }

                return false;
            },
            $"{what} of:\n{_process.Output}");
        return found!.Value;
    }

    internal Task<string> LineAsync(string beginning) => _process.LineAsync(beginning);

    /// <summary>Ctrl-C, and the exit code.</summary>
    internal Task<int> InterruptAsync()
    {
        _process.Signal(Interrupt);
        return _process.ExitAsync();
    }

    /// <summary>SIGTERM, and the exit code.</summary>
    internal Task<int> TerminateAsync()
    {
        _process.Terminate();
        return _process.ExitAsync();
    }

    public void Dispose() => _process.Dispose();
}
