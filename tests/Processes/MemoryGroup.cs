using System.Globalization;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>A control group with a bound on memory, as a container has: the kernel kills what goes over it.</summary>
internal sealed class MemoryGroup : IDisposable
{
    private MemoryGroup(string directory) => Directory = directory;

    internal string Directory { get; }

    /// <returns>Null where none can be made: not Linux, or not allowed to.</returns>
    internal static MemoryGroup? TryMake(long bytes)
    {
        foreach (var (parent, limit) in (IEnumerable<(string, string)>)[("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")])
        {
            var directory = Path.Combine(parent, $"joblib-test-{Guid.NewGuid():n}");
            try
            {
                System.IO.Directory.CreateDirectory(directory);
                File.WriteAllText(Path.Combine(directory, limit), bytes.ToString(CultureInfo.InvariantCulture));
                return new MemoryGroup(directory);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                TryDelete(directory);
            }
        }

        return null;
    }

    /// <summary>Puts the calling process into a group.</summary>
    internal static void Enter(string directory) =>
        File.WriteAllText(Path.Combine(directory, "cgroup.procs"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    public void Dispose() => Patience.Until(() => TryDelete(Directory), "the control group to be empty");

    private static bool TryDelete(string directory)
    {
        try
        {
            // Its files are the kernel's, and go with it.
            if (System.IO.Directory.Exists(directory))
            {
                System.IO.Directory.Delete(directory);
            }

            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
