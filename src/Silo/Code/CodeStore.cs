using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Orleans.Joblib.Silo;

/// <summary>The code cache on disk: pieces of code named by their hashes, bounded in bytes, least recently used first to go. Several silos may share its directory.</summary>
/// <remarks>
/// <c>blobs/</c> holds verified pieces: a piece arrives in <c>temp/</c> and is renamed once its hash is right, so no reader ever sees half of one. A file's
/// last-write time is when it was last taken into use. Who uses a file holds it open (a shared lock on Unix); who evicts or sweeps must be able to open it alone,
/// so nothing that any process of this host uses is taken, and the locks of a dead process are gone. <c>native/</c> holds a directory of native libraries per
/// loaded code set, and beside it the file whose lock says that its process lives.
/// <c>_gate</c> serialises opening the directory, committing and evicting within this store; between processes only the files' own locks count.
/// </remarks>
internal sealed class CodeStore(IOptions<CodeCacheOptions> options, ILogger<CodeStore> logger)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string LockExtension = ".lock";

    private readonly Lock _gate = new();
    private readonly string _root = options.Value.FullDirectory;
    private readonly long _maxBytes = options.Value.MaxBytes;
    private volatile bool _opened;

    internal string Root => _root;

    internal long MaxBytes => _maxBytes;

    // What cleans temporary files up takes empty directories, too.
    private bool IsOpen => _opened && Directory.Exists(Blobs) && Directory.Exists(Temp) && Directory.Exists(Native);

    /// <summary>When a piece came to the cache or went from it last, whoever did it.</summary>
    internal DateTime BlobsChangedAt => Directory.GetLastWriteTimeUtc(Blobs);

    private string Blobs => Path.Combine(_root, "blobs");

    private string Temp => Path.Combine(_root, "temp");

    private string Native => Path.Combine(_root, "native");

    /// <summary>Takes a piece into use. A file that is not what its name says is deleted.</summary>
    /// <returns>Null when the cache does not have it.</returns>
    /// <exception cref="JoblibException">The directory cannot be used.</exception>
    internal CodeBlob? TryPin(CodeHash hash, long length)
    {
        Open();
        var path = PathOf(hash);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not there, or being evicted this moment.
            return null;
        }

        try
        {
            if (file.Length == length && CodeHash.Of(file) == hash)
            {
                File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
                return new CodeBlob(this, hash, path, file);
            }

            CodeLog.CorruptFileDeleted(logger, path);
        }
        catch (FileNotFoundException)
        {
            // Evicted between opening and locking: its bytes are still ours, but its name is not.
            file.Dispose();
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CodeLog.UnreadableFileDeleted(logger, exception, path);
        }

        file.Dispose();
        TryDelete(path);
        return null;
    }

    /// <summary>Whether the cache has a file of that name and length, its bytes not looked at.</summary>
    internal bool Has(CodeHash hash, long length)
    {
        Open();
        var file = new FileInfo(PathOf(hash));
        return file.Exists && file.Length == length;
    }

    /// <summary>Deletes a piece, in use or not.</summary>
    internal void Delete(CodeHash hash) => TryDelete(PathOf(hash));

    /// <summary>Makes room for a piece and begins to write it.</summary>
    /// <exception cref="JoblibException">The directory cannot be used, the disk is full, or what is in use leaves no room.</exception>
    internal CodeDraft Begin(long length)
    {
        lock (_gate)
        {
            Open();
            MakeRoom(length);
            try
            {
                return NewDraft(length);
            }
            catch (IOException)
            {
                // The disk may be full before the cache is: everything that is not in use goes, and if that was not enough the second try says why.
                Evict(bytes: long.MaxValue);
            }
            catch (UnauthorizedAccessException)
            {
            }

            return Guarded(() => NewDraft(length), length);
        }
    }

    /// <summary>Writes a part of a piece.</summary>
    /// <exception cref="JoblibException">The disk is full.</exception>
    internal void Write(CodeDraft draft, long offset, byte[] bytes) => Guarded(() =>
    {
        RandomAccess.Write(draft.Handle, bytes, offset);
        return true;
    });

    /// <summary>Verifies a piece that has arrived, and makes it one of the cache.</summary>
    /// <exception cref="JoblibException">It is not what its hash says; it is gone.</exception>
    internal void Commit(CodeDraft draft, CodeHash hash)
    {
        using (draft)
        {
            var actual = Guarded(draft.ReadHash);
            if (actual != hash)
            {
                throw new JoblibException(
                    "code-changed",
                    $"What arrived as '{hash}' has the hash '{actual}'. The client's file changed after the run began: do not build a program while it runs; start it again.");
            }

            lock (_gate)
            {
                // Another silo of this host was faster: its file may be in use, and is as good.
                using var present = TryPin(hash, RandomAccess.GetLength(draft.Handle));
                if (present is null)
                {
                    Guarded(() =>
                    {
                        // Windows renames no open file. Elsewhere its lock keeps the sweep of a store that opens this moment off until the piece has its name.
                        if (OperatingSystem.IsWindows())
                        {
                            draft.Close();
                        }

                        File.Move(draft.Path, PathOf(hash), overwrite: true);
                        return true;
                    });
                }
            }
        }
    }

    /// <summary>A directory for one code set's native libraries; the caller disposes the lock, which lets the directory be swept.</summary>
    internal (string Directory, FileStream Lock) NewNativeDirectory()
    {
        lock (_gate)
        {
            Open();
            return Guarded(() =>
            {
                var held = NewLocked(Native, LockExtension, 0, FileOptions.DeleteOnClose);
                try
                {
                    var directory = Path.ChangeExtension(held.Name, null);
                    Make(directory);
                    return (directory, held);
                }
                catch
                {
                    held.Dispose();
                    throw;
                }
            });
        }
    }

    /// <summary>Deletes a directory of native libraries; libraries that are still mapped keep their bytes.</summary>
    internal static void DeleteNativeDirectory(string directory, FileStream ownLock)
    {
        TryDeleteDirectory(directory);
        ownLock.Dispose();
    }

    /// <summary>Does file work of this cache; what the disk refuses becomes an error that names the directory and the remedy.</summary>
    internal T Guarded<T>(Func<T> work, long bytes = CodeChunk.MostBytes)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Fault(exception, bytes);
        }
    }

    private JoblibException Fault(Exception exception, long bytes)
    {
        const int NoSpace = 28, FileTooBig = 27, OverQuota = 122, WindowsDiskFull = unchecked((int)0x80070070);
        return exception.HResult is NoSpace or FileTooBig or OverQuota or WindowsDiskFull || HasNoRoom(bytes)
            ? new JoblibException(
                "code-cache-full",
                $"The disk of the code cache '{_root}' on '{Environment.MachineName}' is full: {exception.Message} Free some space there, or point CodeCacheOptions.Directory (joblib-silo: --code-cache) at another disk.",
                exception)
            : new JoblibException(
                "code-cache-unusable",
                $"The code cache '{_root}' on '{Environment.MachineName}' cannot be used: {exception.Message} The silo's user must own that directory and be able to write there; or set CodeCacheOptions.Directory (joblib-silo: --code-cache).",
                exception);
    }

    private bool HasNoRoom(long bytes)
    {
        try
        {
            return new DriveInfo(_root).AvailableFreeSpace < bytes;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Makes the directory where there is none, and cleans up after silos that died.</summary>
    /// <exception cref="JoblibException">The directory cannot be used.</exception>
    internal void Open()
    {
        if (IsOpen)
        {
            return;
        }

        lock (_gate)
        {
            if (IsOpen)
            {
                return;
            }

            Guarded(() =>
            {
                foreach (var directory in (string[])[_root, Blobs, Temp, Native])
                {
                    Make(directory);
                }

                Sweep();
                return true;
            });
            _opened = true;
        }
    }

    private static void Make(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
            return;
        }

        // The mode is set again where the directory exists: in a place that others can write to, only its owner succeeds.
        Directory.CreateDirectory(directory, OwnerOnly);
        File.SetUnixFileMode(directory, OwnerOnly);
    }

    // What a silo that died was in the middle of. Files of silos that live are locked.
    private void Sweep()
    {
        foreach (var path in Directory.EnumerateFiles(Temp).Concat(Directory.EnumerateFiles(Native)))
        {
            TryDeleteUnused(path);
        }

        // The lock is there before the directory is.
        foreach (var directory in Directory.EnumerateDirectories(Native).Where(directory => !File.Exists(directory + LockExtension)))
        {
            TryDeleteDirectory(directory);
        }
    }

    private CodeDraft NewDraft(long length)
    {
        var file = NewLocked(Temp, "", length);
        try
        {
            // Whoever makes room next counts it in full.
            file.SetLength(length);
            return new CodeDraft(file.Name, file);
        }
        catch (IOException)
        {
            file.Dispose();
            TryDelete(file.Name);
            throw;
        }
    }

    // Unix makes a file and locks it in two steps: between them the sweep of a store that opens this moment takes it for a dead silo's, and then it is made again.
    private static FileStream NewLocked(string directory, string extension, long length, FileOptions options = FileOptions.None)
    {
        const int LockedOnLinux = 11, LockedOnMacOS = 35, MostTries = 100;
        for (var tries = 1; ; tries++)
        {
            var path = Path.Combine(directory, Guid.NewGuid().ToString("N") + extension);
            try
            {
                // Preallocated: a disk without room says so now, not after the transfer.
                var file = new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    BufferSize = 0,
                    PreallocationSize = length,
                    Options = options,
                });
                if (File.Exists(path) || tries == MostTries)
                {
                    return file;
                }

                file.Dispose();
            }
            catch (IOException exception) when (tries < MostTries && !OperatingSystem.IsWindows() && exception.HResult is LockedOnLinux or LockedOnMacOS)
            {
            }
            catch (IOException)
            {
                TryDelete(path);
                throw;
            }
        }
    }

    private void MakeRoom(long bytes)
    {
        while (Excess() is > 0 and var excess)
        {
            // Nothing to evict may also mean that another silo has just done it.
            if (Evict(excess) == 0 && Excess() > 0)
            {
                throw new JoblibException(
                    "code-cache-full",
                    string.Create(CultureInfo.InvariantCulture, $"The code cache '{_root}' on '{Environment.MachineName}' has no room for {bytes} bytes: what runs use now fills its bound of {_maxBytes} bytes. Raise CodeCacheOptions.MaxBytes (joblib-silo: --code-cache-size), or wait until other runs have ended and their code is unloaded (CodeCacheOptions.IdleTime)."));
            }
        }

        long Excess() => Files().Sum(file => file.Length) + bytes - _maxBytes;
    }

    private long Evict(long bytes)
    {
        var freed = 0L;
        foreach (var file in Files().OrderBy(file => file.LastWriteTimeUtc).Where(file => file.DirectoryName == Blobs))
        {
            if (freed >= bytes)
            {
                break;
            }

            if (TryDeleteUnused(file.FullName))
            {
                CodeLog.Evicted(logger, file.Name, file.Length);
                freed += file.Length;
            }
        }

        return freed;
    }

    private List<FileInfo> Files() => Guarded<List<FileInfo>>(() =>
    [
        .. new DirectoryInfo(Blobs).EnumerateFiles().Concat(new DirectoryInfo(Temp).EnumerateFiles()).Where(file =>
        {
            try
            {
                // Reads the file's size and time, which another silo may just have made meaningless.
                return file.Length >= 0;
            }
            catch (FileNotFoundException)
            {
                return false;
            }
        }),
    ]);

    private string PathOf(CodeHash hash) => Path.Combine(Blobs, hash.ToString());

    private static bool TryDeleteUnused(string path)
    {
        try
        {
            using var alone = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
            if (!OperatingSystem.IsWindows())
            {
                File.Delete(path);
            }

            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // In use, here or in another process; or already gone.
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Windows deletes nothing that is open; a later start or eviction does.
        }
    }

    private static void TryDeleteDirectory(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // As above: Windows, while a library is loaded.
        }
    }
}
