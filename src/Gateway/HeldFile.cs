using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib.Gateway;

/// <summary>A large array of a result, in use here until the client has it.</summary>
internal sealed class HeldFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    private HeldFile(string name, string path, SafeFileHandle handle)
    {
        Name = name;
        Path = path;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
    }

    /// <summary>What the payload calls it.</summary>
    internal string Name { get; }

    /// <summary>The file.</summary>
    internal string Path { get; }

    internal long Length { get; }

    /// <exception cref="JoblibException">It is gone.</exception>
    internal static HeldFile Open(string name, string path) => ArrayStore.TryOpen(path) is { } handle
        ? new HeldFile(name, path, handle)
        : throw new JoblibException("array-gone", $"The large result '{path}' was gone before its client had it.");

    internal ValueTask<int> ReadAsync(Memory<byte> part, long offset, CancellationToken cancellationToken) => RandomAccess.ReadAsync(_handle, part, offset, cancellationToken);

    public void Dispose()
    {
        _handle.Dispose();
        ArrayStore.DeleteIfUnused(Path);
    }
}
