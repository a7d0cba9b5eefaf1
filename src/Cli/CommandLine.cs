using System.CommandLine;

namespace Orleans.Joblib.Cli;

/// <summary>The command line: what may be typed, and how a failure is told.</summary>
internal static class CommandLine
{
    internal const string Silo = "silo";

    private static readonly string[] NotReached = ["cluster-not-reached", "cluster-not-found", "redis-not-reached", "tls-refused", "protocol-version"];

    internal static async Task<int> InvokeAsync(string[] args)
    {
        var shared = new SharedOptions();
        var parsed = Create(shared).Parse(args);
        if (parsed.Errors.Count == 0)
        {
            PipedOutput.Use();
            return await parsed.InvokeAsync().ConfigureAwait(false);
        }

        await TellAsync(args.Contains(shared.Json.Name), ExitCode.BadUsage, string.Join(" ", parsed.Errors.Select(error => error.Message)) + " 'orleans-joblib --help' says what there is.", null).ConfigureAwait(false);
        return ExitCode.BadUsage;
    }

    /// <summary>Runs a command's work, and tells what went wrong.</summary>
    internal static void Do(this Command command, SharedOptions shared, Func<Invocation, CancellationToken, Task<int>> work) => command.SetAction(async (parsed, cancellationToken) =>
    {
        var json = parsed.GetValue(shared.Json);
        try
        {
            return await work(new Invocation(parsed, shared), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (IOException exception) when (PipedOutput.IsBroken(exception))
        {
            return ExitCode.Ok;
        }
        catch (CommandException exception)
        {
            await TellAsync(json, exception.ExitCode, exception.Message, null).ConfigureAwait(false);
            return exception.ExitCode;
        }
        catch (JoblibException exception)
        {
            var heading = exception.HelpLink?.Split('#')[^1];
            var code = heading == "tls-certificate" ? ExitCode.BadUsage : NotReached.Contains(heading) ? ExitCode.NotReached : ExitCode.Failed;
            await TellAsync(json, code, exception.Message, exception.HelpLink).ConfigureAwait(false);
            return code;
        }
    });

    private static RootCommand Create(SharedOptions shared)
    {
        var root = new RootCommand(
            "Looks at an Orleans.Joblib cluster and looks after it. Exit codes: 0 = done; 1 = failed, or a fault was found; 2 = bad usage, nothing was tried; 3 = the cluster was not reached.");
        foreach (var option in shared.All)
        {
            root.Options.Add(option);
        }

        // Runs before the line is parsed; here for its line in help.
        root.Subcommands.Add(new Command(Silo, "Runs a silo in this process, as joblib-silo does: 'orleans-joblib silo --help' lists its settings."));
        root.Subcommands.Add(StatusCommand.Create(shared));
        root.Subcommands.Add(RunsCommand.Create(shared));
        root.Subcommands.Add(WatchCommand.Create(shared));
        root.Subcommands.Add(CancelCommand.Create(shared));
        root.Subcommands.Add(DrainCommand.Create(shared));
        root.Subcommands.Add(BenchCommand.Create(shared));
        root.Subcommands.Add(DoctorCommand.Create(shared));
        return root;
    }

    private static async Task TellAsync(bool json, int code, string message, string? help)
    {
        if (json)
        {
            await Console.Out.WriteLineAsync(Json.Text(new { error = new { exitCode = code, message, help } })).ConfigureAwait(false);
        }

        await Console.Error.WriteLineAsync($"orleans-joblib: {message}{(help is null ? "" : $" ({help})")}").ConfigureAwait(false);
    }
}
