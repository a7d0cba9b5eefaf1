using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>What .NET does not offer of POSIX processes. On Windows nothing here does anything: <see cref="WindowsJob"/> does.</summary>
internal static partial class NativeProcess
{
    internal const int Kill = 9;

    /// <summary>Makes this process the leader of a group of its own, which its children join: they can be ended together.</summary>
    /// <returns>Whether it is one.</returns>
    internal static bool LeadGroup() => !OperatingSystem.IsWindows() && SetProcessGroup(0, 0) == 0;

    internal static int ParentId => OperatingSystem.IsWindows() ? 0 : GetParentProcess();

    /// <summary>Kills a group that <see cref="LeadGroup"/> made.</summary>
    internal static void KillGroup(int leader)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SendSignal(-leader, Kill);
        }
    }

    /// <summary>Gives the present standard output another number, and makes standard output a pipe.</summary>
    /// <returns>The standard output that was, and the pipe's other end.</returns>
    internal static (int Moved, int Written) MoveStandardOutput()
    {
        var moved = Duplicate(1);
        Span<int> pipe = stackalloc int[2];
        _ = MakePipe(pipe);
        _ = DuplicateTo(pipe[1], 1);
        _ = Close(pipe[1]);

        // Processes that calls start inherit standard output, but not our ends.
        _ = SetCloseOnExec(moved, 2, 1);
        _ = SetCloseOnExec(pipe[0], 2, 1);
        return (moved, pipe[0]);
    }

    /// <summary>Gives the present standard input another number, and leaves standard input empty.</summary>
    internal static int MoveStandardInput()
    {
        var moved = Duplicate(0);
        using var nothing = File.OpenHandle("/dev/null");
        _ = DuplicateTo((int)nothing.DangerousGetHandle(), 0);
        _ = SetCloseOnExec(moved, 2, 1);
        return moved;
    }

    /// <summary>Gives memory that native code has freed back to the system, where the C library keeps it.</summary>
    internal static void TrimHeap()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = TrimAllocations(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Not glibc.
        }
    }

    /// <summary>Kills the calling process's group, itself included.</summary>
    internal static void KillOwnGroup() => _ = SendSignal(0, Kill);

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetProcessGroup(int process, int group);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentProcess();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimAllocations(nuint keptBytes);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int DuplicateTo(int descriptor, int number);

    [LibraryImport("libc", EntryPoint = "pipe")]
    private static partial int MakePipe(Span<int> ends);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    // fcntl is variadic; on Linux and on macOS of x64 its third argument travels like any other.
    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int SetCloseOnExec(int descriptor, int command, int flags);
}
