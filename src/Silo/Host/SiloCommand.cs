using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Orleans.Joblib.Silo;

/// <summary>The command line: help, settings, exit codes (0 = stopped as asked, 1 = failed, 2 = bad configuration, nothing was started).</summary>
internal static class SiloCommand
{
    internal const int Failed = 1;
    private const int BadConfiguration = 2;

    internal static RootCommand Create()
    {
        var root = new RootCommand(
            "A silo of an Orleans.Joblib cluster. Every option can also stand in the environment (--silo-port is JOBLIB_SILO_PORT) or in appsettings.json of the working directory "
                + "(\"Joblib\": { \"SiloPort\": 11111 }); the command line wins over the environment, the environment over the file.");
        var config = new Option<string?>("--config") { HelpName = "FILE", Description = "Another appsettings file." };
        var options = SiloSetting.All.Where(setting => setting.OnCommandLine)
            .ToDictionary(setting => setting.Name, setting => new Option<string?>("--" + setting.Name)
            {
                HelpName = setting.Value,
                Description = setting.Help,
                Arity = setting.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            });
        var json = new Option<bool>("--json") { Description = "The line that says it is ready as JSON." };
        root.Options.Add(config);
        root.Options.Add(json);
        foreach (var option in options.Values)
        {
            root.Options.Add(option);
        }

        root.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(config), parsed.GetValue(json), name => options.TryGetValue(name, out var option) ? parsed.GetValue(option) ?? (parsed.GetResult(option) is null ? null : "true") : null));
        return root;
    }

    /// <summary>System.CommandLine's own exit code for a line that it cannot read is 1; here it is one for all bad configuration.</summary>
    internal static async Task<int> InvokeAsync(string[] args)
    {
        var parsed = Create().Parse(args);
        if (parsed.Errors.Count == 0)
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }).ConfigureAwait(false);
        }

        await ReportAsync(parsed.Errors.Select(error => error.Message)).ConfigureAwait(false);
        return BadConfiguration;
    }

    private static async Task<int> RunAsync(string? file, bool json, Func<string, string?> commandLine)
    {
        SiloHostOptions options;
        try
        {
            options = new SettingsReader(ReadFile(file), commandLine).Read() with { Json = json };
            options.LoadTls();
        }
        catch (Exception exception) when (exception is SettingsException or JoblibException)
        {
            await ReportAsync(exception is SettingsException settings ? settings.Faults : [exception.Message]).ConfigureAwait(false);
            return BadConfiguration;
        }

        try
        {
            await SiloProgram.RunAsync(options).ConfigureAwait(false);
            return 0;
        }
        catch (JoblibException exception)
        {
            await ReportAsync([exception.Message]).ConfigureAwait(false);
            return Failed;
        }
    }

    private static IConfiguration ReadFile(string? file)
    {
        var path = Path.GetFullPath(file ?? "appsettings.json");
        if (!File.Exists(path))
        {
            return file is null
                ? new ConfigurationBuilder().Build()
                : throw new SettingsException([$"--config must not be '{file}': there is no such file. Give the path of a JSON file."]);
        }

        try
        {
            // Not by its name: files whose names begin with a dot would be passed over.
            using var stream = File.OpenRead(path);
            return new ConfigurationBuilder().AddJsonStream(stream).Build();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException([$"'{path}' is not readable: {exception.Message} Let this user read it."]);
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            throw new SettingsException([$"'{path}' is not readable: {exception.InnerException?.Message ?? exception.Message} Correct its JSON."]);
        }
    }

    private static async Task ReportAsync(IEnumerable<string> faults)
    {
        foreach (var fault in faults)
        {
            await Console.Error.WriteLineAsync("joblib-silo: " + fault).ConfigureAwait(false);
        }

        await Console.Error.WriteLineAsync("joblib-silo: nothing is running. 'joblib-silo --help' lists all settings.").ConfigureAwait(false);
    }
}
