using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Locks on ranges of an open file, and who a file belongs to. Linux: "open file description" locks, which belong to the handle, not to the process, and end with it.</summary>
internal static unsafe partial class FileLocks
{
    private const int SetLock = 37;
    private const int Interrupted = 4;
    private const int Busy = 11;
    private const int Denied = 13;
    private const short ReadLock = 0;
    private const short WriteLock = 1;
    private const short NoLock = 2;
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicFacts = 0x7FF;
    private const int TypeMask = 0xF000;
    private const int FolderType = 0x4000;

    /// <summary>For tests: the error that locks of this thread are answered with, as by a file system without any.</summary>
    [ThreadStatic]
    internal static int Refusal;

    internal static bool AreSupported => OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>Takes bytes [start, start + length) together with others; at once or not at all.</summary>
    /// <exception cref="IOException">The file system has no locks, or none left.</exception>
    internal static bool TryShare(SafeFileHandle file, long start, long length) => IsTaken(Set(file, ReadLock, start, length));

    /// <summary>Takes them alone; the file must be open for writing.</summary>
    /// <exception cref="IOException">The file system has no locks, or none left.</exception>
    internal static bool TryOwn(SafeFileHandle file, long start, long length) => IsTaken(Set(file, WriteLock, start, length));

    /// <summary>Gives them back; never fails, since finalizers do it.</summary>
    internal static void Release(SafeFileHandle file, long start, long length) => Set(file, NoLock, start, length);

    /// <summary>Whether a path still leads to an open file.</summary>
    internal static bool IsSame(SafeFileHandle file, string path) =>
        TryStatus(file, out var open) && open.Links > 0 && TryStatus(path, out var named) && open.Number == named.Number && open.DeviceMajor == named.DeviceMajor && open.DeviceMinor == named.DeviceMinor;

    /// <summary>Whether a path is a folder of this user (no link to one) that nobody else may look into.</summary>
    internal static bool IsPrivateFolder(string path) =>
        TryStatus(path, out var folder) && (folder.Mode & TypeMask) == FolderType && (folder.Mode & 0x3F) == 0 && folder.User == UserId();

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial uint UserId();

    private static bool TryStatus(SafeFileHandle file, out Status status)
    {
        fixed (Status* to = &status)
        {
            return StatusOf((int)file.DangerousGetHandle(), "", EmptyPath, BasicFacts, to) == 0;
        }
    }

    private static bool TryStatus(string path, out Status status)
    {
        fixed (Status* to = &status)
        {
            return StatusOf(CurrentFolder, path, NoFollow, BasicFacts, to) == 0;
        }
    }

    private static bool IsTaken(int error) => error switch
    {
        0 => true,
        Busy or Denied => false,

        // It stays so: whoever tried again would do it for ever.
        _ => throw new IOException($"its file system refuses locks ({Marshal.GetPInvokeErrorMessage(error)})", error),
    };

    /// <returns>The error; 0 for none.</returns>
    private static int Set(SafeFileHandle file, short type, long start, long length)
    {
        if (Refusal != 0)
        {
            return Refusal;
        }

        var range = new Range { Type = type, Start = start, Length = length };
        var added = false;
        try
        {
            file.DangerousAddRef(ref added);
            while (Control((int)file.DangerousGetHandle(), SetLock, &range) != 0)
            {
                if (Marshal.GetLastPInvokeError() is not Interrupted and var error)
                {
                    return error;
                }
            }

            return 0;
        }
        finally
        {
            if (added)
            {
                file.DangerousRelease();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int file, int command, Range* range);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatusOf(int folder, string path, int flags, uint mask, Status* status);

    // struct flock of 64-bit Linux.
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct Range
    {
        [FieldOffset(0)]
        public short Type;

        [FieldOffset(8)]
        public long Start;

        [FieldOffset(16)]
        public long Length;
    }

    // struct statx, the same on every processor.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(16)]
        public uint Links;

        [FieldOffset(20)]
        public uint User;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Number;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
