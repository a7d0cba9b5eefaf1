using System.Globalization;

namespace Orleans.Joblib;

/// <summary>The files in the temporary folder by which debuggers and tracing tools find a .NET process. Its runtime removes them when it ends in order; of one that was killed they stay.</summary>
/// <param name="Process">The process's number.</param>
/// <param name="StartedAt">When it started, in the kernel's ticks since it booted: the runtime names them by it, so that they are not taken for those of a later process.</param>
internal readonly record struct RuntimeFiles(int Process, string? StartedAt)
{
    private const int StartTimeField = 19;

    /// <summary>Those of a process that runs, or that has ended and was not waited for. None where this is not Linux.</summary>
    internal static RuntimeFiles Of(int process)
    {
        try
        {
            // The second field is the program's name, which may hold anything.
            var text = OperatingSystem.IsLinux() ? File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat")) : "";
            var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new RuntimeFiles(process, fields.ElementAtOrDefault(StartTimeField));
        }
        catch (IOException)
        {
            return default;
        }
    }

    /// <summary>Removes them. The process has been killed, or kills itself next.</summary>
    internal void Delete()
    {
        if (StartedAt is null)
        {
            return;
        }

        try
        {
            foreach (var name in (string[])[$"dotnet-diagnostic-{Process}-{StartedAt}-socket", $"clr-debug-pipe-{Process}-{StartedAt}-in", $"clr-debug-pipe-{Process}-{StartedAt}-out"])
            {
                File.Delete(Path.Combine(Path.GetTempPath(), name));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The folder has gone, or is not this user's to write to: then they are none of ours.
        }
    }
}
