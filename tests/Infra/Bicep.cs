using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;

namespace Orleans.Joblib.Tests.Infra;

/// <summary>The Bicep compiler, and what it makes of infra/bicep.</summary>
internal static class Bicep
{
    /// <summary>The folder infra.</summary>
    internal static readonly string Infra = Path.GetFullPath(Metadata("Infra"));

    /// <summary>What the parameter files read from the environment.</summary>
    internal static readonly IReadOnlyDictionary<string, string> Environment = new Dictionary<string, string>
    {
        ["JOBLIB_IMAGE_TAG"] = "1.2.3",
        ["JOBLIB_MANIFESTS"] = "https://git.example/orleans-joblib",
        ["JOBLIB_ADMIN_GROUP"] = "00000000-0000-0000-0000-000000000001",
        ["JOBLIB_SILO_PEM"] = "silo",
        ["JOBLIB_CLIENT_PEM"] = "client",
        ["JOBLIB_CA_PEM"] = "ca",
        ["JOBLIB_ALERT_EMAILS"] = "a@b.example,c@d.example",
    };

    // The compiler takes seconds: what several tests look at is made once.
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, Lazy<(int Code, string Output, string Faults)>> Answers = new();
    private static readonly Lazy<JsonObject> CompiledMain = new(() => Compile("main.bicep"));

    /// <summary>main.bicep as the template that Azure gets, modules inside it.</summary>
    internal static JsonObject Main => CompiledMain.Value;

    /// <summary>The templates of main.bicep's modules by their symbolic name.</summary>
    internal static IReadOnlyDictionary<string, JsonObject> Modules => Main["resources"]!.AsObject().ToDictionary(
        resource => resource.Key, resource => resource.Value!["properties"]!["template"]!.AsObject());

    /// <summary>All resources that are created, with their type, over all modules.</summary>
    internal static IReadOnlyList<JsonObject> Resources =>
        [.. Modules.Values.SelectMany(Values).Where(resource => resource["existing"] is null)];

    /// <summary>The resource of a module with a symbolic name.</summary>
    internal static JsonNode Resource(string module, string symbol) => Modules[module]["resources"]![symbol]!;

    /// <summary>The secret of the vault whose value has this in it.</summary>
    internal static JsonObject Secret(string value) => Values(Modules["secrets"]).Single(
        resource => (string?)resource["type"] == "Microsoft.KeyVault/vaults/secrets" && ((string)resource["properties"]!["value"]!).Contains(value, StringComparison.Ordinal));

    /// <summary>What the compiler says with <see cref="Environment"/>; one run for all who ask for the same.</summary>
    internal static (int Code, string Output, string Faults) Answer(string arguments) =>
        Answers.GetOrAdd(arguments, static arguments => new(() => Run(arguments.Split(' '), Environment))).Value;

    /// <summary>Runs the compiler.</summary>
    /// <returns>Exit code, standard output, and standard error, where it reports faults and warnings.</returns>
    internal static (int Code, string Output, string Faults) Run(string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        Runnable(Metadata("BicepProgram"));
        var start = new ProcessStartInfo(Metadata("BicepProgram"), arguments)
        {
            WorkingDirectory = Path.Combine(Infra, "bicep"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var faults = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience.Limit * 4))
        {
            process.Kill();
            throw new HungException($"the Bicep compiler with '{string.Join(' ', arguments)}'");
        }

        return (process.ExitCode, Patience.Await(output, "the compiler's output"), Patience.Await(faults, "the compiler's faults"));
    }

    private static JsonObject Compile(string file)
    {
        var (code, output, faults) = Answer($"build {file} --stdout");
        return code == 0 ? JsonNode.Parse(output)!.AsObject() : throw new InvalidOperationException(faults);
    }

    private static IEnumerable<JsonObject> Values(JsonObject template) => template["resources"] switch
    {
        JsonObject named => named.Select(resource => resource.Value!.AsObject()),
        JsonArray list => list.Select(resource => resource!.AsObject()),
        _ => [],
    };

    /// <summary>Packages are unpacked without the right to execute.</summary>
    private static void Runnable(string program)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, File.GetUnixFileMode(program) | UnixFileMode.UserExecute);
        }
    }

    private static string Metadata(string key) =>
        typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
