namespace Orleans.Joblib;

/// <summary>Where a process puts large arrays, and how much of them.</summary>
internal sealed record ArrayStoreOptions
{
    /// <summary>Free bytes below which /dev/shm is not used. joblib 1.6: <c>SYSTEM_SHARED_MEM_FS_MIN_SIZE</c>.</summary>
    internal const long LeastSharedMemory = 2_000_000_000;

    internal const string FolderVariable = "JOBLIB_TEMP_FOLDER";

    /// <summary>The folder that the user named; null to look for one.</summary>
    internal string? TempFolder { get; init; }

    /// <summary>Bytes of all segments in a folder, of every process; null for three quarters of its file system.</summary>
    internal long? MaxBytes { get; init; }

    /// <summary>Bytes of segments that nobody uses, which this process keeps to use or overwrite them; null for half of <see cref="MaxBytes"/>.</summary>
    internal long? MaxIdleBytes { get; init; }

    /// <summary>How long this process keeps a segment that nobody uses. Default: 5 s, as long as a loop's workers are kept for the next one.</summary>
    internal TimeSpan IdleLifetime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where shared memory is.</summary>
    internal string SharedMemory { get; init; } = "/dev/shm";

    /// <summary>The folders to try, in order. One that the user named is the only one.</summary>
    /// <remarks>joblib 1.6: <c>_get_temp_dir</c>.</remarks>
    internal IReadOnlyList<string> Parents()
    {
        if ((TempFolder ?? Environment.GetEnvironmentVariable(FolderVariable)) is { Length: > 0 } named)
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return [Path.GetFullPath(named == "~" ? home : named.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(home, named[2..]) : named)];
        }

        var system = Path.GetFullPath(Path.GetTempPath());
        try
        {
            return Directory.Exists(SharedMemory) && new DriveInfo(SharedMemory).AvailableFreeSpace > LeastSharedMemory ? [SharedMemory, system] : [system];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [system];
        }
    }
}
