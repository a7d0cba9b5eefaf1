using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>The memory of a file, or memory alone. It stays mapped as long as anything refers to this object, so that no reader can be late; the collector unmaps it.</summary>
/// <remarks>
/// Counting readers instead would cost two interlocked instructions at every element, and a race between a reader and <c>Dispose</c> that is lost ends the process.
/// </remarks>
internal sealed unsafe class MappedFile
{
    // Held, never disposed: its finalizer unmaps, and runs when no array, view or memory refers to this object any more.
    private readonly SafeMemoryMappedViewHandle? _view;
    private readonly object? _owner;

    private MappedFile(SafeMemoryMappedViewHandle? view, long length, string? path, MmapMode mode, object? owner)
    {
        _view = view;
        _owner = owner;
        Length = length;
        Path = path;
        Mode = mode;
        Start = view is null ? null : (byte*)view.DangerousGetHandle();
    }

    /// <summary>The first byte; null where there is none.</summary>
    internal byte* Start { get; }

    internal long Length { get; }

    /// <summary>Null for memory without a file.</summary>
    internal string? Path { get; }

    internal MmapMode Mode { get; }

    /// <summary>What has to live as long as the mapping: the lock on a shared file.</summary>
    internal object? Owner => _owner;

    /// <summary>Maps a file from its first byte on; it may be closed afterwards, and must be as long as <paramref name="length"/>.</summary>
    internal static MappedFile Map(SafeFileHandle file, string? path, long length, MmapMode mode, object? owner = null)
    {
        if (length == 0)
        {
            return new MappedFile(null, 0, path, mode, owner);
        }

        var access = mode switch
        {
            MmapMode.ReadOnly => MemoryMappedFileAccess.Read,
            MmapMode.CopyOnWrite => MemoryMappedFileAccess.CopyOnWrite,
            _ => MemoryMappedFileAccess.ReadWrite,
        };
        using var map = MemoryMappedFile.CreateFromFile(file, null, 0, access, HandleInheritability.None, leaveOpen: true);
        return new MappedFile(map.CreateViewAccessor(0, length, access).SafeMemoryMappedViewHandle, length, path, mode, owner);
    }

    /// <summary>Zeros in memory, writable.</summary>
    internal static MappedFile Anonymous(long length)
    {
        if (length == 0)
        {
            return new MappedFile(null, 0, null, MmapMode.CopyOnWrite, null);
        }

        using var map = MemoryMappedFile.CreateNew(null, length);
        return new MappedFile(map.CreateViewAccessor(0, length).SafeMemoryMappedViewHandle, length, null, MmapMode.CopyOnWrite, null);
    }

    /// <summary>Opens a file to map it.</summary>
    internal static SafeFileHandle Open(string path, MmapMode mode) => File.OpenHandle(
        path,
        mode == MmapMode.Create ? FileMode.Create : FileMode.Open,
        mode is MmapMode.ReadWrite or MmapMode.Create ? FileAccess.ReadWrite : FileAccess.Read,
        FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Brings what was written to the disk.</summary>
    internal void Flush()
    {
        if (Mode is MmapMode.ReadWrite or MmapMode.Create && Path is not null)
        {
            using var file = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
        }
    }
}
