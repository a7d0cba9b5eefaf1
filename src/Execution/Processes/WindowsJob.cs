using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Orleans.Joblib;

/// <summary>What a process group is elsewhere: a job that this process and all that it starts belong to. The system ends what is in it when this process is gone, however it ends.</summary>
[SupportedOSPlatform("windows")]
internal static partial class WindowsJob
{
    private const int ExtendedLimits = 9;
    private const uint KillOnClose = 0x2000;

    // Never closed: the system does it with the process, and that is the point.
    private static nint _job;

    /// <summary>Makes a job and enters it.</summary>
    /// <returns>Whether that was possible.</returns>
    internal static bool TryEnter()
    {
        _job = CreateJobObject(0, 0);
        var limits = new Limits { Flags = KillOnClose };
        return _job != 0 && SetInformationJobObject(_job, ExtendedLimits, in limits, Marshal.SizeOf<Limits>()) && AssignProcessToJobObject(_job, GetCurrentProcess());
    }

    [LibraryImport("kernel32", EntryPoint = "CreateJobObjectW", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint CreateJobObject(nint attributes, nint name);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetInformationJobObject(nint job, int kind, in Limits limits, int length);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool AssignProcessToJobObject(nint job, nint process);

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint GetCurrentProcess();

    /// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION. All but the flags are zero: no limits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        internal long ProcessTime;
        internal long JobTime;
        internal uint Flags;
        internal nuint LeastWorkingSet;
        internal nuint MostWorkingSet;
        internal uint Processes;
        internal nuint Affinity;
        internal uint Priority;
        internal uint Scheduling;
        internal ulong Reads;
        internal ulong Writes;
        internal ulong Others;
        internal ulong BytesRead;
        internal ulong BytesWritten;
        internal ulong BytesOfOthers;
        internal nuint ProcessMemory;
        internal nuint JobMemory;
        internal nuint PeakProcessMemory;
        internal nuint PeakJobMemory;
    }
}
