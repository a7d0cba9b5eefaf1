using System.Security.Cryptography;

namespace Orleans.Joblib;

/// <summary>A folder of segments, shared by all processes of a user on this host. Thread-safe.</summary>
internal sealed class StoreFolder
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string FolderPrefix = "orleans-joblib-";
    private const string SeedName = "seed";
    private const string NewSeedPrefix = "seed-";
    private const string WrittenPrefix = "w-";
    private const string ClaimPrefix = "c-";
    private const string TokenPrefix = "t-";

    private const int MostCounts = 5;

    private readonly Lock _gate = new();
    private long _usedBytes;
    private long _countedAt = long.MinValue;

    private StoreFolder(string path, long seed)
    {
        Path = path;
        Seed = seed;
    }

    internal string Path { get; }

    /// <summary>Mixed into every hash, so that who does not see the folder cannot make two arrays that pass for one.</summary>
    internal long Seed { get; }

    /// <summary>The seed of the folder that a segment is in; null when the path is none of one.</summary>
    internal static long? TrySeedOf(string path)
    {
        if (!SegmentName.IsOne(System.IO.Path.GetFileName(path.AsSpan())))
        {
            return null;
        }

        var seed = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, SeedName);
        return File.Exists(seed) && File.ReadAllBytes(seed) is { Length: sizeof(long) } bytes ? BitConverter.ToInt64(bytes) : null;
    }

    /// <summary>Where the folder is below another one.</summary>
    internal static string PathBelow(string parent) => System.IO.Path.Combine(parent, $"{FolderPrefix}{FileLocks.UserId()}");

    /// <summary>Whether a path, of somebody who is not to be trusted, is spelled as one of a file in such a folder. Whose the folder is has to be looked at.</summary>
    internal static bool IsPlace(string path) =>
        !path.Contains('\0', StringComparison.Ordinal)
        && System.IO.Path.IsPathFullyQualified(path)
        && System.IO.Path.GetFullPath(path) == path
        && System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path.AsSpan())).StartsWith(FolderPrefix, StringComparison.Ordinal);

    /// <summary>Opens or makes the folder below another one.</summary>
    /// <exception cref="JoblibException">It cannot be made, or is not this user's alone.</exception>
    internal static StoreFolder Open(string parent)
    {
        var path = PathBelow(parent);
        try
        {
            Directory.CreateDirectory(parent);
            for (var attempt = 0; ; attempt++)
            {
                if (!OperatingSystem.IsWindows())
                {
                    Directory.CreateDirectory(path, FolderMode);
                }

                if (!FileLocks.IsPrivateFolder(path))
                {
                    throw Unusable(path, "it is not a folder that belongs to this user alone (mode 0700)", null);
                }

                try
                {
                    return new StoreFolder(path, ReadSeed(System.IO.Path.Combine(path, SeedName)));
                }
                catch (IOException exception) when (attempt < 100 && exception is FileNotFoundException or DirectoryNotFoundException)
                {
                    // The last user of the folder has removed it this moment.
                    Thread.Sleep(1);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, exception.Message, exception);
        }
    }

    /// <summary>Deletes what no process holds, if there is a folder.</summary>
    /// <param name="parent">Where the folder would be.</param>
    /// <param name="removes">Whether the folder goes, too, when nothing is left in it.</param>
    internal static void SweepBelow(string parent, bool removes)
    {
        var path = PathBelow(parent);
        if (FileLocks.IsPrivateFolder(path))
        {
            var folder = new StoreFolder(path, 0);
            folder.Sweep();
            if (removes)
            {
                folder.RemoveIfEmpty();
            }
        }
    }

    /// <summary>Arrays that are in the folder below another one now, and their bytes; none where there is no such folder.</summary>
    internal static (int Arrays, long Bytes) CountBelow(string parent)
    {
        var path = PathBelow(parent);
        if (!FileLocks.IsPrivateFolder(path))
        {
            return default;
        }

        var (arrays, bytes) = (0, 0L);
        try
        {
            foreach (var file in new DirectoryInfo(path).EnumerateFiles().Where(file => SegmentName.IsOne(file.Name)))
            {
                bytes += file.Length;
                arrays++;
            }
        }
        catch (IOException)
        {
            // Its last user has removed it, or a file of it, while this looked.
        }

        return (arrays, bytes);
    }

    /// <summary>Makes the folder again if its last user but this one has removed it.</summary>
    internal void Restore()
    {
        if (!Directory.Exists(Path))
        {
            Open(System.IO.Path.GetDirectoryName(Path)!);
        }
    }

    internal JoblibException Unusable(Exception cause) => Unusable(Path, cause.Message, cause);

    private static JoblibException Unusable(string path, string why, Exception? cause) => new(
        "array-folder", $"Large arrays cannot be put into '{path}': {why.TrimEnd('.')}. Give another folder, with 'tempFolder' or the environment variable JOBLIB_TEMP_FOLDER.", cause);

    internal string PathOf(SegmentName name) => System.IO.Path.Combine(Path, name.ToString());

    internal string NewPath() => System.IO.Path.Combine(Path, $"{WrittenPrefix}{Guid.NewGuid():n}");

    internal string ClaimPath(ulong first) => System.IO.Path.Combine(Path, ClaimPrefix + SegmentName.Beginning(first));

    internal string NewTokenPath() => System.IO.Path.Combine(Path, $"{TokenPrefix}{Guid.NewGuid():n}");

    /// <summary>Whether a file name is one of <see cref="NewTokenPath"/>.</summary>
    internal static bool IsToken(ReadOnlySpan<char> fileName) => fileName.StartsWith(TokenPrefix) && Guid.TryParseExact(fileName[TokenPrefix.Length..], "n", out _);

    /// <summary>What the content of another host is called here. Nobody outside of the folder can foresee it.</summary>
    internal SegmentName NameOf(ArrayContent content)
    {
        ReadOnlySpan<ulong> said = [content.Upper, content.Lower, (ulong)content.Seed, (ulong)content.Length];
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(said);
        return new SegmentName(System.IO.Hashing.XxHash3.HashToUInt64(bytes, Seed), System.IO.Hashing.XxHash128.HashToUInt128(bytes, Seed));
    }

    internal bool HasAny(ulong first)
    {
        try
        {
            return Directory.EnumerateFiles(Path, SegmentName.Beginning(first) + "*").Any();
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Bytes of all segments, those of other processes too; counted anew at most four times a second unless it has to be exact.</summary>
    internal long UsedBytes(bool isExact = false)
    {
        lock (_gate)
        {
            if (isExact || Environment.TickCount64 - _countedAt > 250 || _countedAt == long.MinValue)
            {
                _usedBytes = CountBytes();
                _countedAt = Environment.TickCount64;
            }

            return _usedBytes;
        }
    }

    /// <summary>Gives a file of the folder another name. A count that is under way does not miss it.</summary>
    internal void Move(string path, string newPath)
    {
        lock (_gate)
        {
            File.Move(path, newPath, overwrite: true);
        }
    }

    internal void Added(long bytes)
    {
        lock (_gate)
        {
            _usedBytes += bytes;
        }
    }

    internal long FreeBytes()
    {
        try
        {
            return new DriveInfo(Path).AvailableFreeSpace;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Deletes what no process holds: what a process that was killed has left.</summary>
    internal int Sweep()
    {
        var swept = 0;
        foreach (var file in Files())
        {
            if (SegmentFile.TryDelete(file.FullName, evenIfKept: false) is { } bytes)
            {
                Added(-bytes);
                swept++;
            }
        }

        return swept;
    }

    /// <summary>Deletes segments that nobody uses, the oldest first, whoever keeps them.</summary>
    /// <returns>Bytes that are free now.</returns>
    internal long Evict(long wantedBytes)
    {
        long freed = 0;
        foreach (var file in Files().OrderBy(file => file.LastWriteTimeUtc))
        {
            if (freed >= wantedBytes)
            {
                break;
            }

            if (SegmentFile.TryDelete(file.FullName, evenIfKept: true) is { } bytes)
            {
                Added(-bytes);
                freed += bytes;
            }
        }

        return freed;
    }

    /// <summary>Removes the folder when nothing is left in it.</summary>
    internal void RemoveIfEmpty()
    {
        try
        {
            if (Directory.EnumerateFileSystemEntries(Path).All(entry => System.IO.Path.GetFileName(entry) == SeedName))
            {
                File.Delete(System.IO.Path.Combine(Path, SeedName));
                Directory.Delete(Path);
            }
        }
        catch (IOException)
        {
            // Somebody has come, or somebody else has removed it.
        }
    }

    // Its lock shows, too, whether the file system has locks.
    private static long ReadSeed(string path)
    {
        if (TryReadSeed(path) is { } known)
        {
            return known;
        }

        var made = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, $"{NewSeedPrefix}{Guid.NewGuid():n}");
        using (var file = SegmentFile.Create(made))
        {
            try
            {
                RandomAccess.Write(file, RandomNumberGenerator.GetBytes(sizeof(long)), 0);
                TryMove(made, path);
            }
            finally
            {
                SegmentFile.Remove(made);
            }
        }

        return TryReadSeed(path) ?? throw new FileNotFoundException(null, path);
    }

    private static void TryMove(string path, string newPath)
    {
        try
        {
            File.Move(path, newPath, overwrite: false);
        }
        catch (IOException) when (File.Exists(newPath))
        {
            // Another process was first.
        }
    }

    private static long? TryReadSeed(string path)
    {
        using var file = SegmentFile.TryUse(path);
        if (file is null)
        {
            return null;
        }

        var seed = new byte[sizeof(long)];
        if (RandomAccess.Read(file, seed, 0) == seed.Length)
        {
            return BitConverter.ToInt64(seed);
        }

        // The machine lost its power before the bytes were on the disk.
        if (SegmentFile.TryOwn(file, path))
        {
            SegmentFile.Remove(path);
        }

        return null;
    }

    private long CountBytes()
    {
        for (var tries = 1; ; tries++)
        {
            var lengths = Array.ConvertAll(Files(), LengthOf);
            if (tries == MostCounts || !lengths.Contains(null))
            {
                return lengths.Sum() ?? 0;
            }
        }
    }

    /// <returns>Null when it is gone since it was listed, or has another name: another process gave it one.</returns>
    private static long? LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    // Symbolic links are nobody's segments.
    private FileInfo[] Files()
    {
        try
        {
            return
            [
                .. new DirectoryInfo(Path).EnumerateFiles().Where(file => file.LinkTarget is null
                    && (SegmentName.IsOne(file.Name) || file.Name.StartsWith(WrittenPrefix, StringComparison.Ordinal) || file.Name.StartsWith(ClaimPrefix, StringComparison.Ordinal)
                        || file.Name.StartsWith(TokenPrefix, StringComparison.Ordinal) || file.Name.StartsWith(NewSeedPrefix, StringComparison.Ordinal))),
            ];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
