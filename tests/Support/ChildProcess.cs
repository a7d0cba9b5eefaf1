using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Orleans.Joblib.Tests;

/// <summary>A .NET program of this repository as a process of its own, its output kept for the message of a test that fails.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<string>> _awaited = new();

    private ChildProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, data) => Take(data.Data);
        _process.ErrorDataReceived += (_, data) => Take(data.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    internal int Id => _process.Id;

    internal bool HasExited => _process.HasExited;

    internal string Output
    {
        get
        {
            lock (_gate)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="metadata">The assembly metadata that holds its path: SiloProgram or RedisProgram.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="environment">Variables set for it, or taken away where null.</param>
    /// <param name="networkNamespace">The network namespace to run in.</param>
    /// <param name="prefix">A command that runs the program, taskset say.</param>
    internal static ChildProcess Start(
        string metadata, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? networkNamespace = null, string[]? prefix = null) =>
        StartFile(PathOf(metadata), arguments, environment, networkNamespace, prefix);

    /// <summary>The file of a program.</summary>
    internal static string PathOf(string metadata) => typeof(ChildProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == metadata).Value!;

    /// <summary>As <see cref="Start"/>, for a program that lies elsewhere.</summary>
    internal static ChildProcess StartFile(
        string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? networkNamespace = null, string[]? prefix = null)
    {
        var dotnet = Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        string[] command = [.. prefix ?? [], .. networkNamespace is null ? Array.Empty<string>() : ["ip", "netns", "exec", networkNamespace], dotnet, path, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("JOBLIB_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(start);
    }

    /// <summary>Waits for a line that begins so.</summary>
    internal async Task<string> LineAsync(string beginning)
    {
        var line = _awaited.GetOrAdd(beginning, _ => new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
        if (Output.Split('\n').FirstOrDefault(l => l.StartsWith(beginning, StringComparison.Ordinal)) is { } already)
        {
            return already.TrimEnd('\r');
        }

        using var timeout = new CancellationTokenSource(Patience.Limit);
        var exit = _process.WaitForExitAsync(timeout.Token);
        await Task.WhenAny(line.Task, exit);
        if (!line.Task.IsCompleted && !timeout.IsCancellationRequested)
        {
            // What it said last is on its way.
            await Task.WhenAny(line.Task, Task.Delay(TimeSpan.FromSeconds(1)));
        }

        return line.Task.IsCompletedSuccessfully
            ? line.Task.Result
            : throw new HungException($"'{beginning}' of process {Id} ({(HasExited ? $"exit code {_process.ExitCode}" : "still running")}):\n{Output}");
    }

    /// <summary>Gives it a line on its standard input.</summary>
    internal void Say(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for the end and gives the exit code.</summary>
    internal async Task<int> ExitAsync()
    {
        using var timeout = new CancellationTokenSource(Patience.Limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            throw new HungException($"the end of process {Id}:\n{Output}");
        }

        return _process.ExitCode;
    }

    /// <summary>Ends it as <c>kill -9</c> does, and waits for it to be gone.</summary>
    internal async Task KillAsync()
    {
        if (!HasExited)
        {
            _process.Kill();
        }

        await ExitAsync();
    }

    internal void Terminate() => Signal(15);

    internal void Pause() => Signal(19);

    internal void Continue() => Signal(18);

    public void Dispose()
    {
        try
        {
            if (!HasExited)
            {
                _process.Kill();
                _process.WaitForExit(Patience.Limit);
            }
        }
        catch (InvalidOperationException)
        {
            // It ended in between.
        }

        _process.Dispose();
    }

    internal void Signal(int number) => Signal(Id, number);

    internal static void Signal(int process, int number)
    {
        if (SendSignal(process, number) != 0)
        {
            throw new InvalidOperationException($"Signal {number} did not reach process {process}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            _output.Append(line).Append('\n');
        }

        foreach (var (beginning, source) in _awaited)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
            {
                source.TrySetResult(line);
            }
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
