using System.Reflection;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>How to start a worker process of this program.</summary>
/// <param name="FileName">The executable.</param>
/// <param name="Arguments">Its command line.</param>
/// <param name="Environment">Variables that it needs for its start.</param>
/// <remarks>
/// A program that lies on disk as a build leaves it is started as <c>dotnet exec</c> with the program's own list of files and frameworks, so that the worker finds what the
/// program finds. Any other (single-file, self-contained) is started as itself, and a startup hook makes it a worker before its <c>Main</c>.
/// </remarks>
internal sealed record WorkerCommand(string FileName, string[] Arguments, IReadOnlyDictionary<string, string> Environment)
{
    internal const string AssemblyName = "Orleans.Joblib.Worker";

    /// <summary>Set for a process that a startup hook is to make a worker: its parent's id.</summary>
    internal const string HookVariable = "JOBLIB_WORKER_OF";

    private const string HooksVariable = "DOTNET_STARTUP_HOOKS";

    private static readonly Lazy<WorkerCommand> Own = new(Find);

    /// <exception cref="JoblibException">A part is missing.</exception>
    internal static WorkerCommand OfThisProgram => Own.Value;

    /// <summary>As it would be for a program whose files lie in <paramref name="folder"/>; null where that is not how a build leaves them.</summary>
    internal static WorkerCommand? Build(string folder, string? program, string runtimeFolder)
    {
        var worker = Path.Combine(folder, AssemblyName + ".dll");
        var host = Path.GetFullPath(Path.Combine(runtimeFolder, "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        if (program is null || !File.Exists(host) || !File.Exists(worker))
        {
            return null;
        }

        var settings = Path.Combine(folder, program + ".runtimeconfig.json");
        var dependencies = Path.Combine(folder, program + ".deps.json");
        return File.Exists(settings) && File.Exists(dependencies)
            ? new WorkerCommand(host, ["exec", "--runtimeconfig", settings, "--depsfile", dependencies, worker], new Dictionary<string, string>())
            : null;
    }

    private static WorkerCommand Find()
    {
        var program = Assembly.GetEntryAssembly()?.GetName().Name;
        if (program == AssemblyName && AppContext.GetData("APP_CONTEXT_DEPS_FILES") is string files)
        {
            // A worker's own workers: it was started with its program's files, and this is the first of them.
            program = Path.GetFileName(files.Split(';')[0]).Replace(".deps.json", "", StringComparison.Ordinal);
        }

        if (Build(AppContext.BaseDirectory, program, RuntimeEnvironment.GetRuntimeDirectory()) is { } command)
        {
            return command;
        }

        try
        {
            _ = Assembly.Load(AssemblyName);
        }
        catch (IOException exception)
        {
            throw new JoblibException(
                "worker-missing",
                $"Worker processes need '{AssemblyName}.dll' beside the program, in '{AppContext.BaseDirectory}', and it is not there. It comes with the package Orleans.Joblib: build the program again and copy all of its output.",
                exception);
        }

        if (AppContext.TryGetSwitch("System.StartupHookProvider.IsSupported", out var supported) && !supported)
        {
            throw new JoblibException(
                "worker-missing", "This program was published without startup hooks, and workers of a single-file or self-contained program begin with one. Publish it with 'StartupHookSupport=true', or without trimming.");
        }

        var executable = System.Environment.ProcessPath ?? throw new JoblibException("worker-missing", "The path of this program's executable is not known. Start it from a file.");
        string[] arguments = Path.GetFileNameWithoutExtension(executable) == "dotnet" && Assembly.GetEntryAssembly()?.Location is { Length: > 0 } entry ? ["exec", entry] : [];
        var hooks = System.Environment.GetEnvironmentVariable(HooksVariable);
        return new WorkerCommand(executable, arguments, new Dictionary<string, string>
        {
            [HookVariable] = System.Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture),
            [HooksVariable] = string.IsNullOrEmpty(hooks) ? AssemblyName : AssemblyName + Path.PathSeparator + hooks,
        });
    }
}
