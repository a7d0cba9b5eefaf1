using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>benchmarks/Cold, built one way: as it comes, with ReadyToRun, or with ReadyToRun as one image with its own runtime.</summary>
internal class ColdProgram(string backend, string build, string? variant = null) : IContender
{
    private const string ProjectName = "Orleans.Joblib.Benchmarks.Cold";
    internal const string ReadyToRun = "r2r";
    private const string Plain = "build";
    private const string Composite = "r2r-composite";

    private string _program = "";

    internal static IReadOnlyList<string> Builds { get; } = [Plain, ReadyToRun, Composite];

    public string Backend => backend;

    public KeyValuePair<string, string>? Variant => new("mode", variant ?? build);

    public bool IsPeer => false;

    public JsonObject Fields => [];

    public virtual void Prepare()
    {
        // A folder of its own for all that a build makes: one with a runtime identifier must not disturb the solution's.
        var root = RepositoryRoot();
        var artifacts = Path.Combine(root, "artifacts", "cold", build);
        var rid = RuntimeInformation.RuntimeIdentifier;
        string[] how = build switch
        {
            Plain => ["build"],
            ReadyToRun => ["publish", "-r", rid, "-p:PublishReadyToRun=true", "--self-contained", "false"],
            _ => ["publish", "-r", rid, "-p:PublishReadyToRun=true", "-p:PublishReadyToRunComposite=true", "--self-contained", "true"],
        };
        Build([how[0], Path.Combine(root, "benchmarks", "Cold"), "-c", "Release", "--artifacts-path", artifacts, .. how[1..]]);
        _program = Path.Combine(
            artifacts,
            build == Plain ? "bin" : "publish",
            ProjectName,
            build == Plain ? "release" : $"release_{rid}",
            OperatingSystem.IsWindows() ? ProjectName + ".exe" : ProjectName);
    }

    public virtual Measurement Measure() => Measure([backend]);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    private protected Measurement Measure(string[] arguments)
    {
        var start = new ProcessStartInfo(_program, arguments);
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        return FirstResult.Measure(start);
    }

    private static void Build(string[] arguments)
    {
        Console.Error.WriteLine($"cold: dotnet {string.Join(' ', arguments[0], "benchmarks/Cold", string.Join(' ', arguments[6..]))}");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [.. arguments, "-clp:NoSummary", "-nologo"])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            Console.Error.WriteLine(output);
            throw new SkippedException($"dotnet {arguments[0]} failed; its words are on standard error");
        }
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Orleans.Joblib.sln")))
            {
                return folder.FullName;
            }
        }

        throw new SkippedException("Not run from within the repository: Orleans.Joblib.sln is in no folder above the program.");
    }
}
