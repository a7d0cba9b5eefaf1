using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>What .NET does not offer of POSIX processes. On Windows nothing here does anything.</summary>
internal static partial class NativeProcess
{
    internal const int Kill = 9;
    private const int ParentDeathSignal = 1;

    /// <summary>Makes this process the leader of a group of its own, which its children join: they can be ended together.</summary>
    /// <returns>Whether it is one.</returns>
    internal static bool LeadGroup() => !OperatingSystem.IsWindows() && SetProcessGroup(0, 0) == 0;

    /// <summary>Has the kernel kill this process when the thread that started it ends; Linux.</summary>
    internal static void DieWithParent()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = ProcessControl(ParentDeathSignal, Kill, 0, 0, 0);
        }
    }

    internal static int ParentId => OperatingSystem.IsWindows() ? 0 : GetParentProcess();

    /// <summary>Kills a group that <see cref="LeadGroup"/> made.</summary>
    internal static void KillGroup(int leader)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SendSignal(-leader, Kill);
        }
    }

    /// <summary>Gives the present standard output another number, and makes standard output what <paramref name="target"/> is.</summary>
    internal static int MoveStandardOutput(int target)
    {
        var moved = Duplicate(1);
        _ = DuplicateTo(target, 1);
        return moved;
    }

    /// <summary>Gives the present standard input another number, and leaves standard input empty.</summary>
    internal static int MoveStandardInput()
    {
        var moved = Duplicate(0);
        using var nothing = File.OpenHandle("/dev/null");
        _ = DuplicateTo((int)nothing.DangerousGetHandle(), 0);
        return moved;
    }

    /// <summary>Kills the calling process's group, itself included.</summary>
    internal static void KillOwnGroup() => _ = SendSignal(0, Kill);

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetProcessGroup(int process, int group);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentProcess();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint value, nuint second, nuint third, nuint fourth);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int DuplicateTo(int descriptor, int number);
}
