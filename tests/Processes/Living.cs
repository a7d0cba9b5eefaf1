namespace Orleans.Joblib.Tests.Processes;

/// <summary>What the kernel says of processes.</summary>
internal static class Living
{
    /// <summary>Whether a process runs; one that has ended and waits to be reaped does not.</summary>
    internal static bool IsAlive(int process) => StateOf(process) is { } state && state != 'Z';

    /// <summary>Children of this process that have ended and were not reaped.</summary>
    internal static IEnumerable<int> Zombies() =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), out _)
        let process = int.Parse(Path.GetFileName(folder))
        where StateOf(process) == 'Z' && ParentOf(process) == Environment.ProcessId
        select process;

    internal static IEnumerable<int> ChildrenOf(int parent) =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), out _)
        let process = int.Parse(Path.GetFileName(folder))
        where ParentOf(process) == parent
        select process;

    internal static void AwaitEnd(params IEnumerable<int> processes)
    {
        foreach (var process in processes)
        {
            Patience.Until(() => !IsAlive(process), $"the end of process {process}");
        }
    }

    /// <summary>What the runtimes of processes that run have put into the temporary folder for debuggers and tracing tools.</summary>
    internal static string[] RuntimeFilesOf(params IEnumerable<int> processes) =>
        [.. processes.SelectMany(process => Directory.EnumerateFiles(Path.GetTempPath(), $"*-{process}-{Fields(process).ElementAtOrDefault(19) ?? "gone"}-*"))];

    private static char? StateOf(int process) => Fields(process) is [var state, ..] ? state[0] : null;

    internal static int ParentOf(int process) => Fields(process) is [_, var parent, ..] ? int.Parse(parent) : 0;

    private static string[] Fields(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }
}
