using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>Ways to end one's own process.</summary>
public enum Crash
{
    None,
    Kill,
    StackOverflow,
    FailFast,
    Segfault,
    Exit,
    Unhandled,
}

internal static class Crashes
{
    internal static int Make(Crash crash)
    {
        switch (crash)
        {
            case Crash.Kill:
                Process.GetCurrentProcess().Kill();
                Thread.Sleep(Timeout.Infinite);
                break;
            case Crash.StackOverflow:
                return Recurse(1);
            case Crash.FailFast:
                Environment.FailFast("failed fast");
                break;
            case Crash.Segfault:
                WriteNowhere(1, 1, 1);
                break;
            case Crash.Exit:
                Environment.Exit(7);
                break;
            case Crash.Unhandled:
                new Thread(() => throw new UserException(1, ["on a thread of its own"])).Start();
                Thread.Sleep(Timeout.Infinite);
                break;
        }

        return 0;
    }

    private static int Recurse(int depth) => depth == 0 ? 0 : Recurse(depth + 1) + 1;

    // Native code that writes where nothing is mapped; the runtime takes such a fault of managed code for a null reference.
    [DllImport("libc", EntryPoint = "memset")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint WriteNowhere(nint at, int value, nint count);
}
