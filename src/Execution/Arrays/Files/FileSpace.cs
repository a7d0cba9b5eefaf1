using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Space on a file system, taken before it is used: writing to a mapping of a file without space ends the process (SIGBUS).</summary>
internal static partial class FileSpace
{
    private const int NoSpace = 28;
    private const int NotSupported = 95;
    private const int Invalid = 22;
    private const int KeepSize = 1;
    private const int PunchHole = 2;

    /// <summary>Gives a new file its length, and all of its space.</summary>
    /// <exception cref="IOException">There is not enough.</exception>
    internal static void Take(SafeFileHandle file, string path, long length)
    {
        try
        {
            RandomAccess.SetLength(file, length);
        }
        catch (Exception exception) when (exception is ArgumentOutOfRangeException or IOException)
        {
            // Longer than the file system has files.
            File.Delete(path);
            throw new IOException($"The file '{path}' cannot have {length} bytes: {exception.Message.Split(" (Parameter")[0].TrimEnd('.')}. Use another folder, or a smaller shape.", exception);
        }

        if (length == 0 || !OperatingSystem.IsLinux())
        {
            return;
        }

        var error = Allocate(file, 0, length);
        if (error is 0 or NotSupported or Invalid)
        {
            return;
        }

        // Made by the caller, for this.
        File.Delete(path);
        throw new IOException($"The file '{path}' cannot have {length} bytes: {Marshal.GetPInvokeErrorMessage(error)}. Make room, or use another folder.", error == NoSpace ? 28 : error);
    }

    /// <summary>Frees the space of a file that somebody may have open still: it reads as zeros then. Its length stays, since who touches a mapping behind a file's end is ended (SIGBUS).</summary>
    /// <remarks>Where the file system cannot do so, its space is free when the last has closed it.</remarks>
    internal static void GiveBack(SafeFileHandle file, long length)
    {
        if (length > 0)
        {
            _ = Allocate(file, KeepSize | PunchHole, 0, length);
        }
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);

    // glibc falls back to touching every block where the file system knows no better way.
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Allocate(SafeFileHandle file, long offset, long length);
}
