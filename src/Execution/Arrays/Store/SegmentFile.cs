using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>The files of an array store and the locks on them.</summary>
/// <remarks>
/// Byte 0 of a file is locked by whoever uses it, byte 1 by whoever keeps it for a later use, both alone by whoever writes it. Locks end with the process that has
/// them, however it ends. So: what can be locked alone belongs to nobody and may be deleted; what nobody uses may be evicted. Whoever has opened a file and locked it
/// looks whether its name still leads to it, since it may have been deleted in between.
/// </remarks>
internal static class SegmentFile
{
    private const long Use = 0;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    /// <summary>Makes a file and locks it alone.</summary>
    /// <exception cref="IOException">It cannot be made or locked; there is none then.</exception>
    internal static SafeFileHandle Create(string path)
    {
        while (true)
        {
            var file = OpenOrCreate(path);
            try
            {
                if (TryOwn(file, path))
                {
                    return file;
                }
            }
            catch (IOException)
            {
                Remove(path);
                file.Dispose();
                throw;
            }

            file.Dispose();
            Thread.Yield();
        }
    }

    /// <summary>Opens a file to use it, as long as the handle is open.</summary>
    /// <returns>Null when it is not there, or about to go.</returns>
    internal static SafeFileHandle? TryUse(string path)
    {
        SafeFileHandle file;
        if (!File.Exists(path))
        {
            // An exception would cost ten times as much, and for new arrays it is the rule.
            return null;
        }

        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var started = Environment.TickCount64;
        while (!FileLocks.TryShare(file, Use, 1))
        {
            // Somebody looks whether it is in use, or has taken it for something else: then its name leads elsewhere.
            if (!FileLocks.IsSame(file, path) || Environment.TickCount64 - started > LongestWait.TotalMilliseconds)
            {
                file.Dispose();
                return null;
            }

            Thread.Sleep(1);
        }

        if (FileLocks.IsSame(file, path))
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Opens a file, or makes it: for this user alone.</summary>
    internal static SafeFileHandle OpenOrCreate(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options).SafeFileHandle;
    }

    internal static bool TryOwn(SafeFileHandle file, string path) => FileLocks.TryOwn(file, Use, 2) && FileLocks.IsSame(file, path);

    /// <summary>From written to used and kept, without a moment in between.</summary>
    internal static void ShareWritten(SafeFileHandle file) => FileLocks.TryShare(file, Use, 2);

    /// <summary>No longer used, still kept.</summary>
    internal static void KeepOnly(SafeFileHandle file) => FileLocks.Release(file, Use, 1);

    /// <summary>Neither used nor kept.</summary>
    internal static void Release(SafeFileHandle file)
    {
        if (!file.IsClosed)
        {
            FileLocks.Release(file, Use, 2);
        }
    }

    /// <summary>Used again, if nobody has taken it meanwhile.</summary>
    internal static bool TryUseAgain(SafeFileHandle file, string path) => FileLocks.TryShare(file, Use, 1) && FileLocks.IsSame(file, path);

    /// <summary>Taken alone by the one that keeps it, to write something else into it.</summary>
    internal static bool TryTake(SafeFileHandle file, string path) => FileLocks.TryOwn(file, Use, 2) && FileLocks.IsSame(file, path);

    /// <summary>Deletes a file of this process. What cannot go now is left for a sweep: hosts clear shared memory (logind, when a user has logged out), and whoever cleans up has mostly another error to report.</summary>
    internal static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Deletes a file that nobody uses.</summary>
    /// <param name="path">The file.</param>
    /// <param name="evenIfKept">Whether to delete it when somebody keeps it.</param>
    /// <returns>The bytes that it had; null when it is in use, or gone already.</returns>
    internal static long? TryDelete(string path, bool evenIfKept)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            if (!FileLocks.TryOwn(file, Use, evenIfKept ? 1 : 2) || !FileLocks.IsSame(file, path))
            {
                return null;
            }

            var length = RandomAccess.GetLength(file);
            File.Delete(path);
            if (evenIfKept)
            {
                // Whoever keeps it has it open still, so its pages would not be free. Nobody reads it: readers hold the byte that is locked here, and who comes now finds its name gone.
                FileSpace.GiveBack(file, length);
            }

            return length;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
